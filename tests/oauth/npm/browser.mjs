// The user's browser: it shows the consent page, agrees, and is sent back to the client.
export async function agree(issuer, address) {
  const headers = { cookie: "session=cookie-of-sato" };
  const page = await (await fetch(address, { headers, redirect: "manual" })).text();
  const consent = /name=consent value="([^"]+)"/.exec(page)[1];
  const body = new URLSearchParams({ consent, answer: "accept" });
  const answer = await fetch(`${issuer}/oauth2/consent`, { method: "POST", headers, body, redirect: "manual" });
  return new URL(answer.headers.get("location"));
}

// A call of the host's API: its status.
export async function call(issuer, token) {
  const answer = await fetch(`${issuer}/api/records`, { headers: { authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.status;
}

// A private key for signing assertions, out of PEM.
export async function imported(pem) {
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ""), "base64");
  return await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}
