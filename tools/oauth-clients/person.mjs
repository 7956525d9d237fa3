// A person and their browser, as far as these tests need them: an account, a session, and no redirect followed.

import { readFileSync } from "node:fs";

export const CALLBACK = "http://127.0.0.1:1/callback";
const EMAIL = "anna@example.org";
const PASSWORD = "a plain sentence of words";

export const setting = () => JSON.parse(readFileSync(process.argv[2], "utf8"));

export function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
}

async function api(url, path, body, session) {
  const headers = { "Content-Type": "application/json" };
  if (session) Object.assign(headers, { Cookie: session.cookie, "X-CSRF-Token": session.csrf, Origin: url });
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return [answer, response.headers];
}

/// Makes the first Admin and the programs that the tests are.
export async function prepare(url, link) {
  await api(url, "/v1/links:redeem", { link, email: EMAIL, password: PASSWORD });
  const [opened, headers] = await api(url, "/v1/session", { email: EMAIL, password: PASSWORD });
  const session = { cookie: headers.get("set-cookie").split(";")[0], csrf: opened.csrf_token };
  const scopes = ["openid", "email", "profile", "offline_access", "events:read"];
  const people = { redirect_uris: [CALLBACK], scopes };
  const programs = {
    web: { name: "Web", first_party: true, ...people },
    other: { name: "Other", confidential: false, id_token_signed_response_alg: "ES256", ...people },
    box: { name: "Box", confidential: false, scopes, grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"] },
    service: { name: "Service", scopes: ["events:read"], role: "viewer", grant_types: ["client_credentials"] },
  };
  const clients = {};
  for (const [name, body] of Object.entries(programs)) [clients[name]] = await api(url, "/v1/oauth/clients", body, session);
  return { url, session, clients, user: opened.user };
}

/// Types the code of a device and says yes.
export async function letIn({ url, session }, userCode) {
  const headers = { "Content-Type": "application/json", Cookie: session.cookie, "X-CSRF-Token": session.csrf, Origin: url };
  const body = JSON.stringify({ user_code: userCode, allow: true });
  const answer = await fetch(`${url}/v1/oauth/device`, { method: "POST", headers, body });
  check(answer.status === 204, `the device is let in, but ${answer.status}`);
}

/// Follows the browser to where the client gets its answer, saying yes where it is asked.
export async function browse({ url, session }, address) {
  const answer = await fetch(address, { redirect: "manual", headers: { Cookie: session.cookie } });
  const location = answer.headers.get("location") ?? "";
  if (!location.startsWith("/oauth/consent?")) return new URL(location);
  const request = location.slice(location.indexOf("?") + 1);
  const [said] = await api(url, "/v1/oauth/consent", { request, allow: true }, session);
  return new URL(said.location);
}
