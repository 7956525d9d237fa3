// Signing in, using a link that works once, and one's own account. Nothing is kept in the browser but
// the session's cookie, which scripts cannot read.

import { make } from "/page/view.js";

const $ = (id) => document.getElementById(id);
let csrf = null;

// The secret of a link stands in the fragment; it is taken out of the address at once.
const LINKS = {
  "first-admin": ["Make the first account", "It will be Admin of this server. There is no default password.", "Make it", ["email", "password"]],
  join: ["Join", "If you have a Tidings account already, enter its password; else choose one.", "Join", ["password"]],
  reset: ["Choose a new password", "Every session of yours ends.", "Set it", ["password"]],
  verify: ["Is this your address?", "It becomes the address of your account. Your password shows that the account is yours.", "Yes, it is mine", ["password"]],
};

async function api(path, method = "GET", body = undefined) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : null;
  if (!response.ok) throw Object.assign(new Error(said(answer) ?? response.statusText), { status: response.status, code: answer?.code });
  return answer;
}

function said(problem) {
  const all = problem?.errors?.map((error) => error.detail).join(" ");
  return all || problem?.detail;
}

function show(section) {
  for (const id of ["sign-in", "link", "account"]) $(id).hidden = id !== section;
  $("leave").hidden = section !== "account";
  document.querySelector(`#${section} input:not([hidden])`)?.focus();
}

function done(text) {
  $("done").textContent = text;
  $("done").hidden = !text;
  $("fault").textContent = "";
}

// Runs what a form or a button asks for; what goes wrong is said beside it.
function on(id, event, work) {
  $(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    const form = happened.target.tagName === "FORM" ? happened.target : null;
    const fields = form ? Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== "")) : {};
    $("fault").textContent = "";
    try {
      await work(fields, form);
    } catch (fault) {
      if (fault.status === 401 && csrf) {
        csrf = null;
        show("sign-in");
      }
      $("fault").textContent = fault.message;
    }
  });
}

// Back to where one came from, within this site: an address of another begins otherwise.
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/(?![\/\\])[\x21-\x7e]*$/.test(wanted) ? wanted : null;
}

async function entered() {
  const back = next();
  if (back) return location.assign(back);
  await showAccount();
}

const SSO_FAULTS = {
  state: "This sign-in was not begun in this browser, or took too long. Try again.",
  unreachable: "The provider does not answer. Try again in a while, or sign in with your password.",
  provider: "The provider did not let you in.",
  address: "The provider knows no verified address of yours that may come in here.",
  "link-first": "There is an account with your address. Sign in with its password, then link this login below.",
  "not-invited": "You are no member here. Ask an admin for an invitation.",
  taken: "This login is linked to another account.",
  "password-first": "Sign in with the password of your account to link another login to it.",
  "too-many": "As many logins as there may be are linked to your account.",
};

async function listProviders() {
  const { data } = await api("/v1/sso");
  $("providers").hidden = data.length === 0;
  const next = new URLSearchParams(location.search).get("next");
  const address = (provider) => (next ? `${provider.start}?next=${encodeURIComponent(next)}` : provider.start);
  $("providers").replaceChildren(...data.map((provider) => make("a", { class: "button", href: address(provider) }, `Sign in with ${provider.title}`)));
  return data;
}

async function listLogins(providers) {
  const { data } = await api("/v1/account/logins");
  const known = data.map((login) => {
    const end = make("button", { type: "button" }, "Unlink");
    end.addEventListener("click", async () => {
      await api(`/v1/account/logins/${login.id}`, "DELETE").catch((fault) => ($("fault").textContent = fault.message));
      await listLogins(providers);
    });
    return make("li", {}, make("h3", {}, login.provider), make("p", { class: "meta" }, login.email ?? ""), end);
  });
  const more = providers.filter((provider) => !data.some((login) => login.provider === provider.name));
  const begin = more.map((provider) => {
    const link = make("button", { type: "button" }, `Link ${provider.title}`);
    link.addEventListener("click", async () => {
      await api(`/v1/sso/${provider.name}/link`, "POST", {}).then(({ address }) => location.assign(address), (fault) => ($("fault").textContent = fault.message));
    });
    return make("li", {}, link);
  });
  $("logins").replaceChildren(...known, ...begin);
  $("logins-part").hidden = known.length + begin.length === 0;
}

async function showAccount() {
  const providers = await listProviders();
  let me;
  try {
    csrf = (await api("/v1/session")).csrf_token;
    me = await api("/v1/me");
  } catch (fault) {
    if (fault.status !== 401) throw fault;
    show("sign-in");
    return;
  }
  $("who").textContent = `${me.role} in ${me.tenant}`;
  let account;
  try {
    account = await api("/v1/account");
  } catch (fault) {
    if (fault.status !== 404) throw fault;
    show("sign-in");
    done("You are here with an API key. Sign in with your email address to see your account.");
    return;
  }
  const facts = [["Email", `${account.email}${account.email_verified ? "" : " (not verified yet: open the link that was sent there)"}`], ["Name", account.name ?? "not said"], ["Tenant", me.tenant], ["Role", me.role], ["May", me.scopes.join(", ")]];
  $("facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  $("tenant-form").hidden = account.tenants.length < 2;
  $("tenant").replaceChildren(...account.tenants.map((name) => make("option", name === me.tenant ? { selected: "" } : {}, name)));
  $("factor-state").textContent = account.second_factor ? `Signing in asks for a code. ${account.recovery_codes_left} recovery codes are left.` : "Signing in asks for the password only.";
  $("factor-begin").hidden = account.second_factor;
  $("factor-remove-form").hidden = !account.second_factor;
  $("enrollment").hidden = true;
  await listLogins(providers);
  await listSessions();
  show("account");
}

async function listSessions() {
  const { data } = await api("/v1/sessions");
  const item = (session) => {
    const end = make("button", { type: "button" }, session.is_current ? "This one" : "End");
    end.disabled = session.is_current;
    end.addEventListener("click", async () => {
      await api(`/v1/sessions/${session.id}`, "DELETE").catch((fault) => ($("fault").textContent = fault.message));
      await listSessions();
    });
    const used = new Date(session.seen).toLocaleString();
    return make("li", {}, make("h3", {}, session.agent || "A browser that does not say its name"), make("p", { class: "meta" }, `Last used ${used}${session.address ? `, from ${session.address}` : ""}`), end);
  };
  $("sessions").replaceChildren(...data.map(item));
}

function showLink(purpose, secret) {
  const [title, why, button, takes] = LINKS[purpose];
  $("link-title").textContent = title;
  $("link-why").textContent = why;
  $("link-button").textContent = button;
  $("link-email-row").hidden = !takes.includes("email");
  $("link-email").required = takes.includes("email");
  $("link-password-row").hidden = !takes.includes("password");
  $("link-password").required = takes.includes("password");
  show("link");
  on("link-form", "submit", async (fields) => {
    const { made } = await api("/v1/links:redeem", "POST", { link: secret, ...fields });
    done(made === "email" ? "The address is yours." : "Done. Sign in with your email address and the password.");
    await showAccount();
  });
}

on("sign-in-form", "submit", async (fields) => {
  try {
    csrf = (await api("/v1/session", "POST", fields)).csrf_token;
  } catch (fault) {
    if (fault.code !== "code_needed") throw fault;
    $("code-row").hidden = false;
    $("code").focus();
    throw fault;
  }
  $("password").value = $("code").value = "";
  done("");
  await entered();
});
on("forgot-form", "submit", async (fields) => {
  await api("/v1/password-resets", "POST", fields);
  done("If someone has this address, a link was sent there. It works once, for an hour.");
});
on("tenant-form", "submit", async (fields) => {
  csrf = (await api("/v1/session:switch", "POST", fields)).csrf_token;
  await showAccount();
});
on("factor-begin", "submit", async (fields, form) => {
  const { secret, address } = await api("/v1/account/second-factor", "POST", fields);
  form.reset();
  $("factor-secret").textContent = secret.replace(/.{4}(?=.)/g, "$& ");
  $("factor-address").href = address;
  $("enrollment").hidden = false;
  $("factor-code").focus();
});
on("factor-form", "submit", async (fields, form) => {
  const { recovery_codes: codes } = await api("/v1/account/second-factor:confirm", "POST", fields);
  form.reset();
  await showAccount();
  $("recovery-codes").replaceChildren(...codes.map((code) => make("li", {}, make("code", {}, code))));
  $("recovery").hidden = false;
});
on("factor-remove-form", "submit", async (fields, form) => {
  await api("/v1/account/second-factor:remove", "POST", fields);
  form.reset();
  $("recovery").hidden = true;
  await showAccount();
});
on("password-form", "submit", async (fields, form) => {
  await api("/v1/account/password", "POST", fields);
  form.reset();
  csrf = null;
  show("sign-in");
  done("The password is changed. Sign in with the new one.");
});
on("end-all", "click", async () => {
  await api("/v1/sessions:end-all", "POST", {});
  csrf = null;
  show("sign-in");
  done("Every session of yours has ended.");
});
on("leave", "click", async () => {
  await api("/v1/session", "DELETE");
  location.assign(`/account${location.search}`);
});

const [purpose, secret] = [...new URLSearchParams(location.hash.slice(1))][0] ?? [];
if (purpose) history.replaceState(null, "", `/account${location.search}`);
if (LINKS[purpose] && secret) {
  showLink(purpose, secret);
} else if (purpose === "sign-in") {
  // Someone asks for a new sign-in, whatever session there is.
  show("sign-in");
  listProviders().catch((fault) => ($("fault").textContent = fault.message));
} else {
  showAccount()
    .then(() => {
      if (purpose === "sso-fault") $("fault").textContent = SSO_FAULTS[secret] ?? SSO_FAULTS.provider;
      if (purpose === "linked") done("The login is linked to your account.");
    })
    .catch((fault) => ($("fault").textContent = fault.message));
}
