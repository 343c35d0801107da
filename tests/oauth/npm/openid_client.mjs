// openid-client does the whole cycle, every step by the library itself.
import * as client from "openid-client";
import { readFileSync } from "node:fs";
import { agree, call, imported } from "./browser.mjs";

const { issuer, id, secret, key, method, pkce, pushed, redirect, scope } = JSON.parse(readFileSync(0, "utf8"));
const ways = {
  client_secret_basic: () => client.ClientSecretBasic(secret),
  client_secret_post: () => client.ClientSecretPost(secret),
  private_key_jwt: async () => client.PrivateKeyJwt({ key: await imported(key), kid: "k1" }),
  none: () => client.None(),
};
const config = await client.discovery(new URL(issuer), id, undefined, await ways[method](), {
  algorithm: "oauth2",
  execute: [client.allowInsecureRequests], // loopback, here alone
});
const state = client.randomState();
const asked = { redirect_uri: redirect, scope, state };
const checks = { expectedState: state };
if (pkce) {
  checks.pkceCodeVerifier = client.randomPKCECodeVerifier();
  asked.code_challenge = await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier);
  asked.code_challenge_method = "S256";
}
const seen = {};
const first = await client.authorizationCodeGrant(
  config,
  await agree(issuer, pushed ? await client.buildAuthorizationUrlWithPAR(config, asked) : client.buildAuthorizationUrl(config, asked)),
  checks,
);
seen.scope = first.scope;
seen.first = await call(issuer, first.access_token);
const second = await client.refreshTokenGrant(config, first.refresh_token);
seen.second = await call(issuer, second.access_token);
// Introspection is for clients that prove who they are (RFC 7662 section 2.1).
if (method !== "none") {
  const worth = await client.tokenIntrospection(config, second.access_token);
  seen.worth = [worth.active, worth.sub, worth.iss];
}
await client.tokenRevocation(config, second.refresh_token, { token_type_hint: "refresh_token" });
if (method !== "none") seen.afterwards = await client.tokenIntrospection(config, second.access_token);
seen.refused = [await call(issuer, first.access_token), await call(issuer, second.access_token)];
console.log(JSON.stringify(seen));
