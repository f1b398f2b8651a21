// Every page as a picture, in both themes and three widths: node screenshots.js FOLDER [PATH…]
//
// The pictures are to be looked at; nothing here judges them.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Stage, setUp } from "./stage.js";
import { Script } from "./fleet.js";

const [folder, ...only] = process.argv.slice(2);
const NODES = 14;
const PAGES = [
  "/", "/nodes", "/nodes/new", "/nodes/3", "/nodes/3/edit", "/nodes/3/traffic", "/nodes/3/secret", "/nodes/3/delete", "/nodes/14",
  "/interfaces/3/edit", "/peers", "/peers/new", "/peers/import", "/peers/1", "/peers/1/edit", "/peers/1/config", "/peers/1/traffic",
  "/peers/1/delete", "/networks", "/networks/new", "/networks/1", "/networks/1/edit", "/networks/1/delete", "/pools", "/pools/new",
  "/pools/1", "/pools/1/edit", "/pools/1/delete", "/topology", "/audit", "/audit/chain", "/users", "/users/new", "/users/1", "/api-keys",
  "/api-keys/new", "/profile", "/settings", "/about", "/search?q=ops", "/nowhere",
];

const stage = await Stage.open({ nodes: NODES, settings: "[poll]\nevery_ms = 1000\ntimeout_ms = 900\n" });
try {
  await mkdir(folder, { recursive: true });
  const context = await stage.visitor();
  if (!only.length) await draw(await (await stage.visitor()).newPage(), stage.setup, "setup");
  const page = await setUp(stage, context);
  await (await Script.of(stage)).furnish(NODES);
  // The first figures are measured, and what pages keep for a moment is read anew.
  await new Promise((wake) => setTimeout(wake, 8000));
  for (const path of only.length ? only : PAGES) {
    await draw(page, path, path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "overview");
  }
  if (!only.length) await draw(await (await stage.visitor()).newPage(), "/login", "login");
  for (const complaint of new Set(context.complaints)) console.log(complaint);
} finally {
  await stage.close();
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
