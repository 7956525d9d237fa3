// What a program asks of a person, and what they answer. The server judges the request once more with the answer.

const $ = (id) => document.getElementById(id);
const request = location.search.slice(1);
const MEANING = {
  openid: "know that it is you",
  profile: "see what you are called",
  email: "see your email address",
  offline_access: "go on while you are away, until you sign out everywhere",
};
let csrf = null;

async function api(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf }, body: JSON.stringify(body) } : {};
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail ?? response.statusText), { status: response.status });
  return answer;
}

function fail(error) {
  // Without a session the request begins anew, which leads to the sign-in.
  if (error.status === 401) location.assign(`/oauth/authorize?${request}`);
  $("fault").textContent = error.message;
}

async function say(allow) {
  $("allow").disabled = $("deny").disabled = true;
  try {
    location.assign((await api("/v1/oauth/consent", { request, allow })).location);
  } catch (error) {
    fail(error);
  }
}

try {
  csrf = (await api("/v1/session")).csrf_token;
  const asked = await api(`/v1/oauth/consent?${request}`);
  $("name").textContent = asked.name;
  $("tenant").textContent = asked.tenant;
  $("where").textContent = new URL(asked.redirect_uri).host;
  for (const scope of asked.scopes) {
    const item = document.createElement("li");
    item.textContent = MEANING[scope] ?? scope;
    $("scopes").append(item);
  }
  $("allow").addEventListener("click", () => say(true));
  $("deny").addEventListener("click", () => say(false));
  $("ask").hidden = false;
} catch (error) {
  fail(error);
}
