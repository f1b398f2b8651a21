// Texts that are markup and scripts to whoever takes them for that: written wherever words are free, looked at on every
// page that shows them. Nothing runs, nothing is asked for, no element comes of them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN, Stage, setUp } from "./stage.js";
import { Script } from "./fleet.js";

const NODES = 1;
const PAYLOADS = [
  "<script>window.ran = 1</script>",
  "\"><img src=x onerror=\"window.ran = 1\">",
  "'><svg onload='window.ran = 1'>",
  "</textarea></title></script><script>window.ran = 1</script>",
  "--><x-ss hx-get=\"/about\" hx-trigger=\"load\" hx-on:click=\"window.ran = 1\">",
  "\" autofocus onfocus=\"window.ran = 1\" x=\"",
  "<a href=\"javascript:window.ran = 1\" id=\"rows\">all</a><base href=\"//example.org\">",
  "{{constructor.constructor('window.ran = 1')()}}${window.ran = 1}",
];
const ALL = PAYLOADS.join("\n");
const TAGS = ["<x-ss onclick=ran=1>", "\"><img src=x onerror=ran=1>"];
// Each shows what somebody wrote; the words are a part of it that must be there to be seen.
const PAGES = [
  ["/nodes/1/edit", "textarea"], ["/peers", "main"], ["/peers/1", "main"], ["/peers/1/edit", "textarea"], ["/networks/1", "main"], ["/pools", "main"],
  ["/pools/1", "main"], ["/pools/1/edit", "main"], ["/audit", "main"], ["/profile", "main"], ["/users/1", "main"],
];

let stage;
let context;
let page;
const dialogs = [];
const reports = [];

before(async () => {
  stage = await Stage.open({ nodes: NODES, settings: "[poll]\nevery_ms = 500\ntimeout_ms = 400\n" });
  // A header is one line of ASCII.
  context = await stage.visitor({ userAgent: PAYLOADS.join(" ") });
  page = await setUp(stage, context);
  page.on("dialog", (dialog) => { dialogs.push(dialog.message()); return dialog.dismiss(); });
  page.on("request", (request) => { if (new URL(request.url()).pathname === "/reports/csp") reports.push(request.postData()); });
  const script = await Script.of(stage);
  await script.furnish(NODES);
  await script.ask("PATCH", "/nodes/1", { notes: ALL });
  await script.ask("PATCH", "/pools/1", { description: ALL });
  await script.ask("PATCH", "/peers/1", { notes: ALL, tags: TAGS });
  await script.ask("POST", "/networks/1/reservations", { prefix: "10.250.0.0/24", reason: ALL });
});
after(() => stage.close());

// What of a text came to life on the page that is open.
async function isInert(at) {
  // An error of a picture comes after the page.
  await page.waitForTimeout(200);
  const alive = await page.evaluate(() => ({
    ran: window.ran ?? null,
    elements: document.querySelectorAll("x-ss, base, img[src=x], [onclick], [onerror], [onload], [onfocus], a[href^='javascript:'], script:not([src])").length,
  }));
  assert.deepEqual(alive, { ran: null, elements: 0 }, at);
  assert.deepEqual([dialogs, reports, context.complaints], [[], [], []], at);
}

for (const [path, where] of PAGES) {
  test(`what others wrote is text on ${path}`, async () => {
    context.complaints.length = 0;
    const answer = await page.goto(path);
    assert.equal(answer.status(), 200);
    const shown = await page.locator(where).evaluateAll((all) => all.map((one) => one.value ?? one.textContent).join(" "));
    assert.match(shown, /onerror="?(window\.)?ran|ran = 1/, "it is not shown at all");
    await isInert(path);
  });
}

test("what is searched for is text, on the page and as it is typed", async () => {
  for (const payload of PAYLOADS) {
    context.complaints.length = 0;
    for (const path of ["/search", "/peers", "/nodes", "/audit"]) {
      await page.goto(`${path}?${new URLSearchParams({ q: payload })}`);
      await isInert(`${path} ${payload}`);
    }
  }
  await page.goto("/peers");
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === "/peers/rows");
  await page.locator("main input[type=search]").fill(PAYLOADS[1]);
  await answered;
  await page.locator("#rows #peer-1").waitFor();
  await isInert("typed");
});

test("what a form refuses comes back as text, and so does what it took", async () => {
  context.complaints.length = 0;
  await page.goto("/pools/new");
  await page.locator("main [name=name]").fill(PAYLOADS[5]);
  await page.locator("main [name=description]").fill(ALL);
  await page.locator("main button.pri").click();
  // The form that came back, not the one that was sent.
  await page.waitForSelector("main [name=name][aria-invalid=true]");
  await page.waitForLoadState();
  assert.equal(await page.locator("main [name=name]").inputValue(), PAYLOADS[5]);
  // That the answer is a refusal stands in the console, and is meant.
  context.complaints.length = 0;
  await isInert("refused");
  await page.locator("main [name=name]").fill("taken");
  await page.locator("main button.pri").click();
  await page.waitForURL(/\/pools(\/\d+)?$/);
  await isInert("taken");
});

test("what a stranger writes at the door comes back as text", async () => {
  const stranger = await stage.visitor();
  const door = await stranger.newPage();
  door.on("dialog", (dialog) => { dialogs.push(dialog.message()); return dialog.dismiss(); });
  await door.goto(`/login?${new URLSearchParams({ next: "javascript:window.ran = 1//" })}`);
  await door.fill("[name=name]", PAYLOADS[1]);
  await door.fill("[name=password]", ADMIN.password);
  await door.click("main button.pri");
  await door.waitForSelector("main .err[role=alert]:visible");
  await door.waitForLoadState();
  assert.equal(await door.inputValue("[name=name]"), PAYLOADS[1]);
  assert.equal(await door.evaluate(() => window.ran ?? null), null);
  assert.equal(await door.locator("img[src=x]").count(), 0);
  assert.deepEqual(dialogs, []);
  await stranger.close();
});
