// What holds for every page: it breaks no policy, axe finds nothing serious, the keyboard reaches everything, it is
// whole in French and without scripts.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Stage, setUp } from "./stage.js";
import { Script } from "./fleet.js";

const NODES = 3;
const PAGES = [
  "/", "/nodes", "/nodes/new", "/nodes/1", "/nodes/1/edit", "/peers", "/peers/new", "/peers/1", "/networks", "/networks/new",
  "/networks/1", "/pools", "/pools/new", "/pools/1", "/topology", "/audit", "/users", "/users/new", "/users/1", "/api-keys",
  "/api-keys/new", "/profile", "/settings", "/about", "/search?q=ops", "/networks/1/edit", "/networks/1/delete", "/pools/1/edit", "/pools/1/delete",
  "/peers/1/edit", "/peers/1/config", "/peers/1/traffic", "/peers/1/delete", "/peers/import", "/nodes/1/traffic", "/nodes/1/secret",
  "/nodes/1/delete", "/interfaces/1/edit", "/audit/chain",
];
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let stage;
let context;
let page;

before(async () => {
  stage = await Stage.open({ nodes: NODES, settings: "[poll]\nevery_ms = 500\ntimeout_ms = 400\n" });
  context = await stage.visitor();
  page = await setUp(stage, context);
  await (await Script.of(stage)).furnish(NODES);
});
after(() => stage.close());

for (const path of PAGES) {
  test(`${path} breaks no policy and has nothing that axe finds serious`, async () => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      context.complaints.length = 0;
      const answer = await page.goto(path);
      assert.equal(answer.status(), 200);
      // Through the debugger: the page's own policy lets no script in.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
      assert.deepEqual(told, []);
      assert.deepEqual(context.complaints, []);
    }
  });

  test(`${path} does not scroll sideways at 390 px`, async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(path);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await page.setViewportSize({ width: 1280, height: 900 });
    assert.equal(beyond, 0);
  });

  test(`the keyboard reaches everything on ${path}`, async () => {
    await page.goto(path);
    const reachable = await page.evaluate(() => {
      const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")];
      const seen = all.filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled);
      seen.forEach((element, at) => { element.dataset.stop = at; });
      // Of radio buttons that belong together the keyboard stops at one.
      const groups = new Map();
      for (const radio of seen.filter((element) => element.type === "radio")) groups.set(radio.name, [...(groups.get(radio.name) ?? []), radio]);
      return seen.length - [...groups.values()].reduce((sum, group) => sum + group.length - 1, 0);
    });
    const stops = new Set();
    for (let press = 0; press < reachable + 10; press += 1) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => document.activeElement?.dataset.stop);
      if (stop !== undefined) stops.add(stop);
    }
    assert.equal(stops.size, reachable);
  });
}

test("every page is there without scripts, and says the same in French", async () => {
  const plain = await stage.browser.newContext({
    baseURL: stage.url, javaScriptEnabled: false, locale: "fr-FR", storageState: await context.storageState(),
  });
  const visitor = await plain.newPage();
  for (const path of PAGES) {
    const answer = await visitor.goto(path);
    assert.equal(answer.status(), 200, path);
    assert.equal(await visitor.locator("html").getAttribute("lang"), "fr", path);
    assert.equal(await visitor.locator("h1").count(), 1, path);
  }
  await plain.close();
});
