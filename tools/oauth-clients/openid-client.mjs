// npm openid-client, with the checks of signatures that it leaves to the transport otherwise.

import * as client from "openid-client";
import { CALLBACK, browse, check, letIn, setting } from "./person.mjs";

const given = setting();
const insecure = { execute: [client.allowInsecureRequests] };
const configured = async ({ id, client_secret: secret }) => {
  const config = await client.discovery(new URL(given.url), id, { client_secret: secret, id_token_signed_response_alg: "EdDSA" }, client.ClientSecretBasic(secret), insecure);
  client.enableNonRepudiationChecks(config);
  return config;
};
const refused = async (asked, code) => {
  const fault = await asked.then(() => null, (fault) => fault);
  check(fault?.error === code, `${code}, but ${fault}`);
};

const config = await configured(given.clients.web);
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: CALLBACK, scope: "openid email offline_access events:read", state: expectedState, nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
});
const back = await browse(given, address);
const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, back, checks);
check(tokens.claims().sub === given.user, "the ID token is about the person");
const info = await client.fetchUserInfo(config, tokens.access_token, given.user);
check(info.email === "anna@example.org", "userinfo says the address");
const seen = await client.fetchProtectedResource(config, tokens.access_token, new URL("/v1/events", given.url), "GET");
check(seen.status === 200, "the API takes the token");

check((await client.tokenIntrospection(config, tokens.access_token)).active === true, "the token is active");
const next = await client.refreshTokenGrant(config, tokens.refresh_token);
check(next.refresh_token !== tokens.refresh_token, "a refresh brings another refresh token");
await refused(client.refreshTokenGrant(config, tokens.refresh_token), "invalid_grant");
await refused(client.refreshTokenGrant(config, next.refresh_token), "invalid_grant");
check((await client.tokenIntrospection(config, next.access_token)).active === false, "a reuse ends the family");
await refused(client.authorizationCodeGrant(config, back, checks), "invalid_grant");

const service = await configured(given.clients.service);
const own = await client.clientCredentialsGrant(service, { scope: "events:read" });
check((await client.tokenIntrospection(service, own.access_token)).active === true, "its own token is active");
await client.tokenRevocation(service, own.access_token);
check((await client.tokenIntrospection(service, own.access_token)).active === false, "a revoked token is not");
const box = await client.discovery(new URL(given.url), given.clients.box.id, { id_token_signed_response_alg: "EdDSA" }, client.None(), insecure);
client.enableNonRepudiationChecks(box);
const begun = await client.initiateDeviceAuthorization(box, { scope: "openid offline_access events:read" });
await letIn(given, begun.user_code);
const held = await client.pollDeviceAuthorizationGrant(box, begun);
check(held.claims().sub === given.user, "a device is let in by its person");
check((await client.refreshTokenGrant(box, held.refresh_token)).access_token, "and stays");
console.log("openid-client: ok");
