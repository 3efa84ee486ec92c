// The other side of the wire, written from the RFCs with Node's own crypto and nothing of ours:
// checks a request, an assertion and a webhook, and signs a callback. JSON in, JSON out.
"use strict";
const crypto = require("node:crypto");

const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const headers = new Map(given.headers);
const key = crypto.createPublicKey({ key: given.jwk, format: "jwk" });

// RFC 9421, section 2.5
function base(params, message, fields) {
  const covered = params.slice(1, params.indexOf(")")).split(" ");
  const lines = covered.map((quoted) => {
    const name = quoted.slice(1, -1);
    const derived = {
      "@method": message.method,
      "@path": message.path,
      "@query": "?" + message.query,
    };
    return `${quoted}: ${name in derived ? derived[name] : fields.get(name)}`;
  });
  return Buffer.from([...lines, `"@signature-params": ${params}`].join("\n"));
}

function signatureFits() {
  const params = headers.get("signature-input").replace(/^civicmall=/, "");
  const signature = Buffer.from(headers.get("signature").split(":")[1], "base64");
  return crypto.verify(null, base(params, given, headers), key, signature);
}

function digestFits() {
  const digest = crypto.createHash("sha256").update(given.body, "utf8").digest("base64");
  return headers.get("content-digest") === `sha-256=:${digest}:`;
}

function assertionSays() {
  const [head, claims, signature] = given.assertion.split(".");
  const fits = crypto.verify(
    null, Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"));
  const read = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  return fits ? { header: read(head), claims: read(claims) } : null;
}

function webhookFits() {
  const secret = Buffer.from(given.webhook.secret.slice("whsec_".length), "base64");
  const fields = new Map(given.webhook.headers);
  const signed = `${fields.get("webhook-id")}.${fields.get("webhook-timestamp")}.${given.webhook.body}`;
  const mac = crypto.createHmac("sha256", secret).update(signed, "utf8").digest("base64");
  return fields.get("webhook-signature") === `v1,${mac}`;
}

function callback() {
  const secret = crypto.createPrivateKey({ key: given.callback.jwk, format: "jwk" });
  const digest = crypto.createHash("sha256").update(given.callback.body, "utf8").digest("base64");
  const fields = new Map([["content-digest", `sha-256=:${digest}:`]]);
  const params = '("@method" "@path" "@query" "content-digest")' +
    `;created=${given.callback.created};nonce="${crypto.randomBytes(16).toString("hex")}"` +
    `;keyid="${given.callback.keyid}";alg="ed25519";tag="civicmall-callback-v1"`;
  const signature = crypto.sign(null, base(params, given.callback, fields), secret);
  fields.set("signature-input", `civicmall=${params}`);
  fields.set("signature", `civicmall=:${signature.toString("base64")}:`);
  return [...fields];
}

process.stdout.write(JSON.stringify({
  signature: signatureFits(),
  digest: digestFits(),
  assertion: assertionSays(),
  webhook: webhookFits(),
  callback: callback(),
}));
