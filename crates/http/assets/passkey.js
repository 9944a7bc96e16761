// Adds passkeys on the account's page, and logs in with one. What it shows is hidden without it: password and code work.
"use strict";
(() => {
  const part = document.getElementById("passkey");
  if (!part || !window.PublicKeyCredential || part.dataset.host !== location.hostname) return;
  // An exercise is served below a path of its own, and so is this file.
  const base = new URL("../", document.currentScript.src).pathname;
  const button = part.querySelector("button"), said = part.querySelector("[role=alert]");

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer ?? [])))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const ask = async (path, body) => {
    const headers = { "Content-Type": "application/json", "X-CSRF": part.dataset.csrf ?? "" };
    const answer = await fetch(`${base}api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.detail ?? told.title);
    return told;
  };

  const logIn = async () => {
    const { challenge, rp_id: rpId, timeout } = await ask("/session/passkey/options", {});
    const found = await navigator.credentials.get({ publicKey: {
      challenge: bytes(challenge), rpId, timeout, userVerification: "required", allowCredentials: [] } });
    const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
    await ask("/session/passkey", { id: text(found.rawId), user_handle: text(userHandle),
      client_data: text(clientDataJSON), authenticator_data: text(authenticatorData), signature: text(signature) });
    location.assign(base.slice(0, -1) + document.querySelector("input[name=to]").value);
  };

  const add = async () => {
    const name = part.querySelector("input");
    if (!name.reportValidity()) return;
    const told = await ask("/passkeys/options", {});
    const made = await navigator.credentials.create({ publicKey: {
      challenge: bytes(told.challenge), rp: { id: told.rp_id, name: told.rp_name }, timeout: told.timeout,
      user: { id: bytes(told.user_id), name: told.user_name, displayName: told.display_name },
      pubKeyCredParams: told.algorithms.map((alg) => ({ type: "public-key", alg })), attestation: "none",
      excludeCredentials: told.exclude.map((id) => ({ type: "public-key", id: bytes(id) })),
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" } } });
    const { response } = made;
    await ask("/passkeys", { name: name.value.trim(), client_data: text(response.clientDataJSON),
      authenticator_data: text(response.getAuthenticatorData()), public_key: text(response.getPublicKey()),
      algorithm: response.getPublicKeyAlgorithm() });
    location.reload();
  };

  button.addEventListener("click", async () => {
    said.hidden = true;
    button.disabled = true;
    try {
      await (part.dataset.does === "add" ? add() : logIn());
    } catch (error) {
      said.textContent = error.name === "NotAllowedError" ? "No passkey was given, or it took too long: try again."
        : error.name === "InvalidStateError" ? "This device or key has a passkey of this account already." : error.message;
      said.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  part.hidden = false;
})();
