// Every page as a picture, in both themes and three widths: node screenshots.js FOLDER [PATH…]
//
// The pictures are to be looked at; nothing here judges them.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Stage, setUp } from "./stage.js";
import { EMPTY, OUTSIDE, PAGES } from "./places.js";
import { Script } from "./fleet.js";

const [folder, ...only] = process.argv.slice(2);
const NODES = 14;
// The node whose peers nobody has adopted, and what is not there.
const MORE = ["/nodes/14", "/nowhere"];

const stage = await Stage.open({ nodes: NODES, settings: "[poll]\nevery_ms = 1000\ntimeout_ms = 900\n" });
try {
  await mkdir(folder, { recursive: true });
  const context = await stage.visitor();
  if (!only.length) await draw(await (await stage.visitor()).newPage(), stage.setup, "setup");
  const page = await setUp(stage, context);
  await (await Script.of(stage)).furnish(NODES);
  // The first figures are measured, and what pages keep for a moment is read anew.
  await new Promise((wake) => setTimeout(wake, 8000));
  for (const path of only.length ? only : [...PAGES, ...MORE, ...EMPTY]) {
    await draw(page, path, name(path));
  }
  const stranger = await (await stage.visitor()).newPage();
  for (const path of only.length ? [] : OUTSIDE) await draw(stranger, path, name(path));
  for (const complaint of new Set(context.complaints)) console.log(complaint);
} finally {
  await stage.close();
}

function name(path) {
  return path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "overview";
}

async function draw(page, path, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [390, 1280, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(path);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
}
