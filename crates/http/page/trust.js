// The operator's page of who may speak for whom. It only reads; keys are made and revoked elsewhere.

import { make } from "/page/view.js";

const $ = (id) => document.getElementById(id);

function say(...parts) {
  $("state").hidden = false;
  $("state").replaceChildren(...parts);
}

function row(...cells) {
  return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
}

function count(id, number) {
  $(id).textContent = `(${number})`;
}

function show({ issuers, for_all, own_name_only }) {
  const bound = issuers.filter(({ speakers }) => speakers.length);
  const nobody = issuers.filter(({ speakers }) => !speakers.length);
  for (const { issuer, country, speakers } of bound) {
    for (const speaker of speakers) {
      $("bound").append(row(
        country ? `${issuer} (${country})` : issuer,
        speaker.tenant,
        `${speaker.kind} ${speaker.name ?? ""} ${speaker.id}`,
        speaker.user_name ?? speaker.user,
        speaker.role,
        speaker.publishes ? JSON.stringify(speaker.publishes) : "anything",
        speaker.expires ?? "it is revoked",
      ));
    }
  }
  for (const { tenant, speakers, people, roles } of for_all) {
    $("all").append(row(tenant, String(speakers), String(people), roles.join(", ")));
  }
  $("known").textContent = nobody.map(({ issuer, country }) => (country ? `${issuer} (${country})` : issuer)).join(" · ");
  count("bound-count", bound.length);
  count("all-count", for_all.length);
  count("known-count", nobody.length);
  $("bound-empty").hidden = bound.length > 0;
  const keys = own_name_only === 1 ? "1 key or webhook publishes" : `${own_name_only} keys and webhooks publish`;
  $("own").textContent = `${keys} in the own name only, which needs no trust: nobody else's threads are touched by it.`;
  $("state").hidden = true;
  $("tables").hidden = false;
}

async function start() {
  let response;
  try {
    response = await fetch("/v1/trust");
  } catch {
    return say("The server cannot be reached. Reload to try again.");
  }
  if (response.status === 401) {
    return say("Not signed in. ", make("a", { href: "/" }, "Sign in as an Admin of the tenant default"), ", then come back.");
  }
  const body = await response.json();
  if (!response.ok) return say(body.detail);
  show(body);
}

start();
