// What holds for every page: it breaks no policy, axe finds nothing serious, it is whole in French and without scripts.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { NO_PAGES, OUTSIDE, PAGES, fits } from "./places.js";
import { Stage, setUp } from "./stage.js";
import { Script } from "./fleet.js";

const NODES = 3;
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
}

test("no page is missing in the list of all pages", async () => {
  const lines = (await readFile(new URL("pages.txt", import.meta.url), "utf8")).split("\n").map((line) => line.split(/\s+/));
  const shown = lines.filter(([method]) => method === "GET").map(([, pattern]) => pattern);
  assert.ok(shown.length > 50, String(shown.length));
  const is = (pattern) => NO_PAGES.includes(pattern) || [...PAGES, ...OUTSIDE].some((path) => fits(pattern, path));
  assert.deepEqual(shown.filter((pattern) => !is(pattern)), []);
  assert.deepEqual(NO_PAGES.filter((pattern) => !shown.includes(pattern)), []);
});

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
