// A key pair for a new peer, made where it is shown: the public key goes into the form, the private key into the text
// that comes back. It is held by this page alone; leaving the page forgets it.
"use strict";

(() => {
  const form = document.getElementById("new-peer");
  if (!form) return;
  const chosen = () => form.elements.key.value === "browser";
  const field = form.elements.public_key;
  const shown = () => { field.closest(".field").hidden = form.elements.key.value !== "pasted"; };

  const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

  async function pair() {
    const keys = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
    const published = await crypto.subtle.exportKey("raw", keys.publicKey);
    const secret = await crypto.subtle.exportKey("jwk", keys.privateKey);
    const padded = secret.d.replaceAll("-", "+").replaceAll("_", "/").padEnd(44, "=");
    return { published: base64(new Uint8Array(published)), secret: padded };
  }

  // The first choice where a browser can; where it cannot, the form says so.
  pair().then(() => {
    if (!form.querySelector("[aria-invalid]")) form.elements.key.value = "browser";
    shown();
  }, () => {
    form.querySelector("[name=key][value=browser]").disabled = true;
    document.getElementById("no-browser-key").hidden = false;
    if (chosen()) form.elements.key.value = "controller";
    shown();
  });
  form.addEventListener("change", shown);

  form.addEventListener("submit", async (event) => {
    if (!chosen()) return;
    event.preventDefault();
    const made = await pair();
    field.value = made.published;
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
    document.title = page.title;
    if (!answer.redirected) {
      // Refused: the form is there again, and its next try makes another pair.
      location.hash = "";
      return again();
    }
    history.pushState(null, "", answer.url);
    complete(made.secret);
  });

  // A form that was swapped in needs this script anew.
  function again() {
    const script = document.createElement("script");
    script.src = document.querySelector("script[src*='peer-key.js']").src;
    document.body.append(script);
  }

  function complete(secret) {
    const text = document.getElementById("conf");
    if (!text) return;
    const whole = text.textContent.replace(text.dataset.placeholder, `PrivateKey = ${secret}`);
    text.textContent = whole;
    document.getElementById("conf-copy").dataset.copy = whole;
    document.getElementById("conf-file").href = `data:text/plain;base64,${btoa(whole)}`;
    const hint = document.getElementById("conf-key");
    hint.textContent = hint.dataset.known;
    draw(whole).catch(undrawn);
  }

  // A picture without the key would be of no use: in its place stands what to do instead.
  function undrawn() {
    const section = document.getElementById("conf-scan");
    const said = document.createElement("p");
    said.className = "hint";
    said.textContent = section.dataset.undrawn;
    section.querySelector("[data-known]").textContent = "";
    section.querySelector(".qr, .hint").replaceWith(said);
  }

  // The picture that came lacks the key; one without it is of no use where the key is nowhere else.
  async function draw(text) {
    const { qrcode } = await import(form.dataset.qr);
    qrcode.stringToBytes = (text) => [...new TextEncoder().encode(text)];
    const code = qrcode(0, "L");
    code.addData(text, "Byte");
    code.make();
    const side = code.getModuleCount();
    let dark = "";
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) if (code.isDark(y, x)) dark += `M${x} ${y}h1v1h-1z`;
    }
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", `-4 -4 ${side + 8} ${side + 8}`);
    const path = document.createElementNS(picture.namespaceURI, "path");
    path.setAttribute("d", dark);
    picture.append(path);
    const section = document.getElementById("conf-scan");
    section.querySelector("svg").replaceWith(picture);
    const what = section.querySelector("[data-known]");
    what.textContent = what.dataset.known;
  }
})();
