// Passkeys: the browser is asked for a new one or for one that it has, and its answer
// goes back with the form. Where a browser knows none, the form stays hidden.
"use strict";
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function read(options) {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of [options.allowCredentials, options.excludeCredentials])
      for (const c of list || []) c.id = bytes(c.id);
    return { publicKey: options };
  }

  function write(c) {
    const r = c.response, out = { clientDataJSON: text(r.clientDataJSON) };
    for (const k of ["attestationObject", "authenticatorData", "signature", "userHandle"])
      if (r[k]) out[k] = text(r[k]);
    if (r.getTransports) out.transports = r.getTransports();
    return JSON.stringify({ id: c.id, rawId: text(c.rawId), type: c.type, response: out, clientExtensionResults: c.getClientExtensionResults(), authenticatorAttachment: c.authenticatorAttachment || undefined });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button"), fault = form.querySelector("[role=alert]");
    form.hidden = false;
    form.addEventListener("submit", (e) => { if (!form.elements.answer.value) { e.preventDefault(); button.click(); } });
    button.addEventListener("click", async () => {
      fault.hidden = true;
      button.disabled = true;
      try {
        const r = await fetch(form.dataset.ask, { method: "POST" });
        if (r.redirected) return void (location = r.url); // one has to sign in first
        if (!r.ok) throw new Error(r.status);
        const ask = await r.json();
        const c = await navigator.credentials[form.dataset.passkey](read(ask.options));
        form.elements.id.value = ask.id;
        form.elements.answer.value = write(c);
        form.submit();
      } catch {
        fault.textContent = form.dataset.failed;
        fault.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
