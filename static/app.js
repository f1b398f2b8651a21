// What pages gain where scripts run; all of them work without. Nothing here knows of a resource: elements say by their
// attributes what is wanted of them.
"use strict";

const root = document.documentElement;
root.classList.add("script");

const byId = (id) => document.getElementById(id);

// data-copy: the text that a button puts on the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  tell(button.dataset.copied);
});

// One short word about what was done; it goes by itself unless somebody is reading it.
let telling;
function tell(text) {
  const toast = byId("toast");
  if (!toast || !text) return;
  toast.textContent = text;
  clearTimeout(telling);
  const end = () => {
    if (toast.matches(":hover, :focus-within")) telling = setTimeout(end, 2000);
    else toast.textContent = "";
  };
  telling = setTimeout(end, 8000);
}
document.addEventListener("tell", (event) => tell(event.detail?.value ?? event.detail));

// The palette: a link to the search page, opened in place.
const palette = byId("palette");
const typing = (element) => element?.matches("input, textarea, select, [contenteditable]");
function search() {
  if (!palette) return;
  palette.showPopover();
  byId("palette-q").select();
}
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-palette]") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  search();
});

// Whoever walks on out of it has left it: it covers nothing that they come to.
document.addEventListener("focusin", ({ target }) => {
  if (palette?.matches(":popover-open") && !palette.contains(target)) palette.hidePopover();
});

// Keys: / and Ctrl-K search; two letters in a row go where a link with those data-keys goes.
let before = "";
document.addEventListener("keydown", (event) => {
  const named = (event.ctrlKey || event.metaKey) && event.key === "k";
  if (named || (event.key === "/" && !typing(document.activeElement))) {
    event.preventDefault();
    search();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(document.activeElement)) return;
  const link = document.querySelector(`[data-keys="${CSS.escape(before + event.key)}"]`);
  before = event.key;
  setTimeout(() => { before = ""; }, 1000);
  if (link) link.click();
});

// Arrows walk through what was found.
palette?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const links = [...palette.querySelectorAll("#found a")];
  if (!links.length) return;
  const chosen = links.findIndex((link) => link.matches("[aria-selected=true]"));
  if (event.key === "Enter" && chosen >= 0 && event.target.id === "palette-q") {
    event.preventDefault();
    links[chosen].click();
  }
  if (!step) return;
  event.preventDefault();
  const next = (chosen + step + links.length) % links.length;
  links.forEach((link, at) => link.setAttribute("aria-selected", String(at === next)));
  links[next].scrollIntoView({ block: "nearest" });
});

// data-all: a box that ticks every box of its name in the same form.
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (!all) return;
  for (const box of all.form.querySelectorAll(`input[name="${CSS.escape(all.dataset.all)}"]`)) box.checked = all.checked;
});

// data-submit: a choice that needs no button.
document.addEventListener("change", (event) => event.target.closest("[data-submit]")?.form.requestSubmit());

// data-continue: a form that goes on with what was begun; it is seen for a moment, and a way out of it stays.
const going = document.querySelector("form[data-continue]");
if (going) setTimeout(() => going.requestSubmit(), 300);

// data-fill: the field that a chosen file is read into.
document.addEventListener("change", async (event) => {
  const file = event.target.closest("[data-fill]")?.files?.[0];
  if (file) byId(event.target.dataset.fill).value = await file.text();
});

// What the page asks by itself, because something changed or because it was opened, keeps nobody signed in.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceEvent?.isTrusted) ctx.request.headers["X-By-Itself"] = "true";
});

// How fresh the page is: when the stream told something last, or that it is broken off.
const live = byId("live");
function heard(isLive) {
  if (!live) return;
  live.classList.toggle("warn", !isLive);
  live.textContent = isLive ? `${live.dataset.live} ` : live.dataset.stale;
  if (!isLive) return;
  const time = document.createElement("time");
  time.dateTime = new Date().toISOString();
  time.dataset.ago = "";
  live.append(time);
  ages();
}
for (const event of ["connection", "message"]) document.addEventListener(`htmx:sse:after:${event}`, () => heard(true));
document.addEventListener("htmx:sse:error", () => heard(false));
document.addEventListener("htmx:sse:before:connection", ({ detail }) => { if (detail.connection.attempt > 0) heard(false); });

// How old everything is, told again as time goes by, in the words that the server would use.
const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
function ages() {
  const words = root.lang === "fr" ? { ago: "il y a %", d: "j" } : { ago: "% ago", d: "d" };
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(time.dateTime)) / 1000));
    const [length, unit] = units.find(([length]) => seconds >= length) ?? [1, "s"];
    const span = `${Math.floor(seconds / length)}\u202f${words[unit] ?? unit}`;
    const text = time.dataset.ago === "span" ? span : words.ago.replace("%", span);
    if (time.textContent !== text) time.textContent = text;
  }
}
setInterval(ages, 1000);
