// Passkeys, and the proof of work at the login page: what needs scripts around signing in. The rest works without.
const root = document.documentElement;
root.classList.add("script");

// altcha-widget: its script, its worker and its words come from this server alone, each a file of its own.
const widget = document.querySelector("altcha-widget");
if (widget) {
  const { widget: script, worker, words } = widget.dataset;
  await import(script);
  globalThis.$altcha.algorithms.set("SHA-256", () => new Worker(worker));
  if (words) await import(words);
}

// data-passkey: a form whose button asks the device, to sign in ("get") or for a new passkey ("create").
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    form.hidden = true;
    continue;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form).catch((error) => tell(form, error instanceof Refused ? error.message : form.dataset.failed));
  });
}

// What the server said, in the words of the page.
class Refused extends Error {}

async function ask(form) {
  tell(form, "");
  const { publicKey } = await post(form, form.dataset.begin);
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  const finish = new URL(form.dataset.finish, location.origin);
  const name = form.elements.namedItem("name");
  if (name) finish.searchParams.set("name", name.value);
  const { next } = await post(form, finish, JSON.stringify(credential.toJSON()));
  location.assign(next);
}

async function post(form, url, body = "") {
  const headers = { "X-CSRF-Token": form.dataset.csrf, "Content-Type": "text/plain" };
  const answer = await fetch(url, { method: "POST", headers, body });
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) throw new Error(`status ${answer.status}`);
  const value = await answer.json();
  if (!answer.ok) throw new Refused(value.detail);
  return value;
}

function tell(form, text) {
  const place = form.querySelector("[role=alert]");
  place.textContent = text;
  place.hidden = !text;
}
