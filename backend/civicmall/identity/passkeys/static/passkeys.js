// Passkeys: what the browser's own dialog needs, and nothing else. Without this file the pages that
// load it offer the other ways in.
"use strict";

(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const known = (list) => list.map((one) => ({ ...one, id: bytes(one.id) }));

  // The options as the browser takes them, and its answer as the server reads it (Web Authentication
  // Level 3, section 5.1.8; older browsers can't convert by themselves).
  const asked = {
    create: (said) => ({
      ...said,
      challenge: bytes(said.challenge),
      user: { ...said.user, id: bytes(said.user.id) },
      excludeCredentials: known(said.excludeCredentials),
    }),
    get: (said) => ({
      ...said,
      challenge: bytes(said.challenge),
      allowCredentials: known(said.allowCredentials),
    }),
  };
  const answered = {
    create: (response) => ({
      attestationObject: text(response.attestationObject),
      transports: response.getTransports ? response.getTransports() : [],
    }),
    get: (response) => ({
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : "",
    }),
  };

  // A passkey belongs to a domain: under another name of the same machine the browser refuses.
  const fits = (id) => location.hostname === id || location.hostname.endsWith(`.${id}`);

  function ready(form) {
    const kind = form.dataset.passkey;
    const options = JSON.parse(form.dataset.options);
    const status = form.querySelector("[role=status]");
    const button = form.querySelector("button");
    let waiting = new AbortController();

    async function ask(how) {
      waiting.abort();
      waiting = new AbortController();
      const mine = waiting;
      status.textContent = "";
      try {
        const found = await navigator.credentials[kind]({
          ...how, publicKey: asked[kind](options), signal: mine.signal,
        });
        if (!found) return;
        form.elements.credential.value = JSON.stringify({
          id: found.id, rawId: text(found.rawId), type: found.type,
          response: { clientDataJSON: text(found.response.clientDataJSON), ...answered[kind](found.response) },
        });
        form.requestSubmit();
      } catch (error) {
        if (mine.signal.aborted || how.mediation) return;
        status.textContent = error.name === "InvalidStateError" ? form.dataset.known : form.dataset.failed;
      }
    }

    form.hidden = false;
    button.addEventListener("click", () => ask({}));
    // Where the browser can, passkeys are offered in the field for the phone too.
    const field = kind === "get" && document.querySelector("[autocomplete~=webauthn]");
    if (field && PublicKeyCredential.isConditionalMediationAvailable) {
      PublicKeyCredential.isConditionalMediationAvailable().then((can) => {
        if (can) ask({ mediation: "conditional" });
      });
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    for (const hint of document.querySelectorAll("[data-without]")) hint.hidden = true;
    const said = JSON.parse(form.dataset.options);
    if (fits(said.rpId ?? said.rp.id)) ready(form);
    else for (const hint of document.querySelectorAll("[data-elsewhere]")) hint.hidden = false;
  }
})();
