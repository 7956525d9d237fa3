// A person types the code of a device, sees what it asks for, and answers.

const $ = (id) => document.getElementById(id);
let csrf = null;

async function api(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf }, body: JSON.stringify(body) } : {};
  const response = await fetch(path, options);
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail ?? response.statusText), { status: response.status });
  return answer;
}

function fail(error) {
  if (error.status === 401) location.assign(`/account?next=${encodeURIComponent(location.pathname + location.search)}#sign-in`);
  $("fault").textContent = error.message;
}

async function say(allow) {
  $("allow").disabled = $("deny").disabled = true;
  try {
    await api("/v1/oauth/device", { user_code: $("code").value, allow });
    $("ask").hidden = true;
    $("done").textContent = allow ? "It is let in. Go back to your device." : "It is not let in.";
  } catch (error) {
    fail(error);
  }
}

$("type").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("fault").textContent = "";
  try {
    const asked = await api(`/v1/oauth/device?user_code=${encodeURIComponent($("code").value)}`);
    $("name").textContent = asked.name;
    $("tenant").textContent = asked.tenant;
    $("scopes").replaceChildren(...asked.scopes.map((scope) => Object.assign(document.createElement("li"), { textContent: scope })));
    $("type").hidden = true;
    $("ask").hidden = false;
  } catch (error) {
    fail(error);
  }
});
$("allow").addEventListener("click", () => say(true));
$("deny").addEventListener("click", () => say(false));

try {
  csrf = (await api("/v1/session")).csrf_token;
  $("code").value = new URLSearchParams(location.search).get("user_code") ?? "";
} catch (error) {
  fail(error);
}
