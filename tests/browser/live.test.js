// What changes elsewhere shows on an open page by itself, within a second and with the settings that all begin with.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage, listening, setUp } from "./stage.js";
import { Script } from "./fleet.js";

let stage;
let context;
let page;
let script;

before(async () => {
  stage = await Stage.open({ nodes: 1, settings: "[poll]\nevery_ms = 500\ntimeout_ms = 400\n" });
  context = await stage.visitor();
  page = await setUp(stage, context);
  script = await Script.of(stage);
  await script.furnish(1);
});
after(() => stage.close());

const CHANGES = [
  ["a peer that somebody disables", "/peers", "#peer-2 .tag.off", "PATCH", "/peers/2", { enabled: false }],
  ["a peer that somebody makes", "/peers", "#rows a:text-is('brand-new')", "POST", "/peers", { network: "home", name: "brand-new" }],
  ["a peer that somebody deletes", "/peers", "#rows:not(:has(#peer-3))", "DELETE", "/peers/3", undefined],
  ["a node that somebody disables", "/nodes", "#rows .tag.off", "PATCH", "/nodes/1", { enabled: false }],
];

for (const [what, path, sight, method, target, body] of CHANGES) {
  test(`${what} changes the open list within a second`, async () => {
    await page.goto(path);
    await listening(page);
    assert.equal(await page.locator(sight).count(), 0);
    await page.evaluate(() => { window.unchanged = true; });

    await script.ask(method, target, body);
    await page.waitForSelector(sight, { timeout: 1000 });

    assert.equal(await page.evaluate(() => window.unchanged), true, "the page was not loaded anew");
    assert.deepEqual(context.complaints, []);
  });
}

test("what a page asks by itself says so, and what somebody types does not", async () => {
  await page.goto("/peers");
  await listening(page);
  const asked = () => page.waitForRequest((request) => new URL(request.url()).pathname === "/peers/rows");
  const byItself = asked();
  await script.ask("PATCH", "/peers/4", { enabled: false });
  assert.equal((await byItself).headers()["x-by-itself"], "true");
  await page.waitForSelector("#peer-4 .tag.off");

  const bySomebody = asked();
  await page.locator(".tools [name=q]").pressSequentially("laptop");
  assert.equal((await bySomebody).headers()["x-by-itself"], undefined);
});
