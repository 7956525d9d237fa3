// An OpenID Connect provider that nobody here wrote (npm `oidc-provider`), on a free port of this machine.
// Prints its address. Usage: node provider.mjs REDIRECT_URI

import { createServer } from "node:http";
import Provider from "oidc-provider";

const [redirectUri] = process.argv.slice(2);
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const audience = "https://tidings.example.org/api";
const provider = new Provider(issuer, {
  clients: [
    { client_id: "tidings", client_secret: "a secret: with / signs", redirect_uris: [redirectUri] },
    {
      client_id: "scanner",
      client_secret: "of the scanner",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  // Any name is a person with a verified address.
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: id !== "unverified", name: id }),
  }),
  features: {
    clientCredentials: { enabled: true },
    // Access tokens for our API are JSON Web Tokens (RFC 9068).
    resourceIndicators: {
      enabled: true,
      defaultResource: (context, client) => (client.clientId === "scanner" ? audience : undefined),
      getResourceServerInfo: () => ({ audience, scope: "events:read", accessTokenFormat: "jwt", accessTokenTTL: 600 }),
    },
  },
  pkce: { required: () => true },
  cookies: { keys: ["for a test"] },
});
server.on("request", provider.callback());
console.log(issuer);
