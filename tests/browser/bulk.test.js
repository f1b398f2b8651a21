// Many peers at once: what it would do is said first, how far it is while it is done; with scripts and without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage, at, setUp, signIn, until } from "./stage.js";
import { Script } from "./fleet.js";

const PEERS = 1200;

let stage;
let script;
before(async () => {
  stage = await Stage.open({ nodes: 2, peersOfEach: PEERS, settings: "[poll]\nevery_ms = 500\ntimeout_ms = 400\n" });
  await setUp(stage, await stage.visitor());
  script = await Script.of(stage);
  const [{ url, secret }] = stage.nodes;
  await script.ask("POST", "/networks", { name: "home", cidr_v4: "10.0.0.0/8", cidr_v6: "fd00:66::/48" });
  await script.ask("POST", "/nodes", {
    name: "ams-1", agent_url: url, secret,
    interface: { name: "wg0", network: "home", endpoint: "ams-1.example.org:51820", drift_policy: "adopt" },
  });
  await until("all peers are adopted", async () => await enabled(true) === PEERS);
});
after(() => stage.close());

// How many peers of all pages hold what is asked.
async function count(holds, narrowed = "") {
  let count = 0;
  let cursor = "";
  do {
    const page = await script.ask("GET", `/peers?limit=500${narrowed}${cursor}`);
    count += page.items.filter(holds).length;
    cursor = page.next ? `&cursor=${encodeURIComponent(page.next)}` : "";
  } while (cursor);
  return count;
}

const enabled = (wanted) => count((peer) => peer.enabled === wanted);

// A page that keeps by itself how far each part was: it goes on before anybody could ask.
async function watched(context) {
  await context.addInitScript(() => addEventListener("DOMContentLoaded", () => {
    const far = document.querySelector("progress");
    if (far) sessionStorage.setItem("far", `${sessionStorage.getItem("far") ?? ""} ${far.value}/${far.max}`);
  }));
  return context.newPage();
}

const progress = (page) => page.evaluate(() => (sessionStorage.getItem("far") ?? "").trim().split(" "));

async function choose(page, act) {
  await page.goto("/peers");
  await page.locator("[name=id]").first().check();
  await page.check("[name=scope][value=all]");
  await page.click(`[name=do][value=${act}]`);
  await page.waitForURL(at("/peers/bulk"));
}

test("disabling all says what it means, wants their number, and shows how far it is until it is done", async () => {
  const context = await stage.visitor();
  const page = await watched(context);
  await signIn(page);
  await choose(page, "disable");
  assert.equal(await page.locator("h1").innerText(), "Disable 1,200 peers?");
  assert.match(await page.locator(".attn").innerText(), /1 node is told/);
  assert.equal(await enabled(false), 0);

  await page.fill("[name=confirm]", "12");
  await page.click("main .btn.danger");
  await page.waitForSelector("[name=confirm][aria-invalid=true]");
  assert.equal(await enabled(false), 0);

  await page.fill("[name=confirm]", String(PEERS));
  await page.click("main .btn.danger");
  await page.waitForSelector(".flash:has-text('1,200 of 1,200 peers changed')");
  assert.deepEqual(await progress(page), ["500/1200", "1000/1200"]);
  assert.equal(await enabled(false), PEERS);
  assert.deepEqual(context.complaints, []);
});

test("without scripts each part is asked for, and what was stopped stays as far as it came", async () => {
  const page = await (await stage.visitor({ javaScriptEnabled: false })).newPage();
  await signIn(page);
  await choose(page, "enable");
  await page.fill("[name=confirm]", String(PEERS));
  await page.click("main .btn.pri");
  await page.waitForSelector("progress[value='500']");
  await page.click("main .btn.pri");
  await page.waitForSelector("progress[value='1000']");
  await page.click("main .btn.bare");
  await page.waitForURL(at("/peers"));
  assert.equal(await enabled(true), 1000);

  await choose(page, "enable");
  await page.fill("[name=confirm]", String(PEERS));
  await page.click("main .btn.pri");
  for (const done of [500, 1000]) {
    await page.waitForSelector(`progress[value='${done}']`);
    await page.click("main .btn.pri");
  }
  await page.waitForSelector(".flash:has-text('200 of 1,200 peers changed')");
  assert.equal(await enabled(true), PEERS);
});

test("moving all says who goes where before anybody does, and shows how far it is until all are there", async () => {
  const [, { url, secret }] = stage.nodes;
  await script.ask("POST", "/nodes", {
    name: "ams-2", agent_url: url, secret,
    interface: { name: "wg0", network: "home", endpoint: "ams-2.example.org:51820" },
  });
  await until("both nodes are online", async () => (await script.ask("GET", "/status")).nodes.online === 2);
  const moved = () => count((peer) => peer.nodes.join() === "ams-2", "&node=ams-2");
  const context = await stage.visitor();
  const page = await watched(context);
  await signIn(page);
  await choose(page, "move");
  assert.equal(await page.locator("h1").innerText(), "Move 1,200 peers?");
  assert.equal(await page.locator("[name=confirm]").count(), 0);
  await page.selectOption("[name=to_node]", { label: "ams-2" });
  await page.click("main .btn.pri");
  await page.waitForSelector("[name=confirm]");
  assert.match(await page.locator(".attn").innerText(), /1,200 peers go to other nodes: 1,200 to ams-2/);
  assert.equal(await moved(), 0);

  await page.fill("[name=confirm]", String(PEERS));
  await page.click("main .btn.danger");
  await page.waitForSelector(".flash:has-text('1,200 of 1,200 peers moved')");
  assert.deepEqual(await progress(page), ["500/1200", "1000/1200"]);
  assert.equal(await moved(), PEERS);
  assert.deepEqual(context.complaints, []);
});
