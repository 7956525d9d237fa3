// npm oauth4webapi, as a program without a secret, whose person is asked; its ID tokens are signed with ES256.

import * as oauth from "oauth4webapi";
import { CALLBACK, browse, check, setting } from "./person.mjs";

const given = setting();
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(given.url);
for (const algorithm of ["oidc", "oauth2"]) {
  await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
}
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
const resource = await oauth.resourceDiscoveryRequest(issuer, insecure);
const described = await oauth.processResourceDiscoveryResponse(issuer, resource);
check(described.authorization_servers[0] === server.issuer, "the resource names its server");

const client = { client_id: given.clients.other.id, id_token_signed_response_alg: "ES256" };
const none = oauth.None();
const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
const address = new URL(server.authorization_endpoint);
address.search = new URLSearchParams({
  client_id: client.client_id, redirect_uri: CALLBACK, response_type: "code", state, nonce,
  scope: "openid email offline_access events:read",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
}).toString();
const back = oauth.validateAuthResponse(server, client, await browse(given, address), state);
const answer = await oauth.authorizationCodeGrantRequest(server, client, none, back, CALLBACK, verifier, insecure);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
await oauth.validateApplicationLevelSignature(server, answer, insecure);
const { sub } = oauth.getValidatedIdTokenClaims(tokens);
check(sub === given.user, "the ID token is about the person");
const info = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
check((await oauth.processUserInfoResponse(server, client, sub, info)).email === "anna@example.org", "userinfo says the address");

// RFC 9068, as an API of someone else would check it.
const request = new Request(new URL("/v1/events", issuer), { headers: { Authorization: `Bearer ${tokens.access_token}` } });
const claims = await oauth.validateJwtAccessToken(server, request, server.issuer, insecure);
check(claims.client_id === client.client_id && claims.scope.includes("events:read"), "the access token is one");

const again = await oauth.refreshTokenGrantRequest(server, client, none, tokens.refresh_token, insecure);
const next = await oauth.processRefreshTokenResponse(server, client, again);
const reused = await oauth.refreshTokenGrantRequest(server, client, none, tokens.refresh_token, insecure);
const fault = await oauth.processRefreshTokenResponse(server, client, reused).then(() => null, (fault) => fault);
check(fault?.error === "invalid_grant", "a reused refresh token is refused");
const ended = await fetch(request.url, { headers: { Authorization: `Bearer ${next.access_token}` } });
check(ended.status === 401, "and ends what came of it");

const service = { client_id: given.clients.service.id };
const secret = oauth.ClientSecretPost(given.clients.service.client_secret);
const asked = await oauth.clientCredentialsGrantRequest(server, service, secret, { scope: "events:read" }, insecure);
const own = await oauth.processClientCredentialsResponse(server, service, asked);
const looked = async () => oauth.processIntrospectionResponse(server, service, await oauth.introspectionRequest(server, service, secret, own.access_token, insecure));
check((await looked()).active === true, "its own token is active");
await oauth.processRevocationResponse(await oauth.revocationRequest(server, service, secret, own.access_token, insecure));
check((await looked()).active === false, "a revoked token is not");
console.log("oauth4webapi: ok");
