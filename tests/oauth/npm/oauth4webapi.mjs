// oauth4webapi does the whole cycle, every request and every check of an answer by the library itself.
import * as oauth from "oauth4webapi";
import { readFileSync } from "node:fs";
import { agree, call, imported } from "./browser.mjs";

const { issuer, id, secret, key, method, pkce, pushed, redirect, scope } = JSON.parse(readFileSync(0, "utf8"));
const options = { [oauth.allowInsecureRequests]: true }; // loopback, here alone
const ways = {
  client_secret_basic: () => oauth.ClientSecretBasic(secret),
  client_secret_post: () => oauth.ClientSecretPost(secret),
  private_key_jwt: async () => oauth.PrivateKeyJwt({ key: await imported(key), kid: "k1" }),
  none: () => oauth.None(),
};
const way = await ways[method]();
const me = { client_id: id };
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(
  url,
  await oauth.discoveryRequest(url, { algorithm: "oauth2", ...options }),
);
const state = oauth.generateRandomState();
const verifier = pkce ? oauth.generateRandomCodeVerifier() : oauth.nopkce;
const asked = new URL(server.authorization_endpoint);
asked.search = new URLSearchParams({ client_id: id, redirect_uri: redirect, response_type: "code", scope, state });
if (pkce) {
  asked.searchParams.set("code_challenge", await oauth.calculatePKCECodeChallenge(verifier));
  asked.searchParams.set("code_challenge_method", "S256");
}
if (pushed) {
  const { request_uri } = await oauth.processPushedAuthorizationResponse(
    server,
    me,
    await oauth.pushedAuthorizationRequest(server, me, way, asked.searchParams, options),
  );
  asked.search = new URLSearchParams({ client_id: id, request_uri });
}
const seen = {};
const answer = oauth.validateAuthResponse(server, me, await agree(issuer, asked), state);
const first = await oauth.processAuthorizationCodeResponse(
  server,
  me,
  await oauth.authorizationCodeGrantRequest(server, me, way, answer, redirect, verifier, options),
);
seen.scope = first.scope;
seen.first = await call(issuer, first.access_token);
const second = await oauth.processRefreshTokenResponse(
  server,
  me,
  await oauth.refreshTokenGrantRequest(server, me, way, first.refresh_token, options),
);
seen.second = await call(issuer, second.access_token);
const examine = async (token) =>
  await oauth.processIntrospectionResponse(
    server,
    me,
    await oauth.introspectionRequest(server, me, way, token, options),
  );
// Introspection is for clients that prove who they are (RFC 7662 section 2.1).
if (method !== "none") {
  const worth = await examine(second.access_token);
  seen.worth = [worth.active, worth.sub, worth.iss];
}
await oauth.processRevocationResponse(await oauth.revocationRequest(server, me, way, second.refresh_token, options));
if (method !== "none") seen.afterwards = await examine(second.access_token);
seen.refused = [await call(issuer, first.access_token), await call(issuer, second.access_token)];
console.log(JSON.stringify(seen));
