// The keyboard alone: on every page each stop is reached in the order of the document and back, can be seen, shows that
// it has the focus, and nothing holds it; what opens closes again and gives the focus back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EMPTY, OUTSIDE, PAGES } from "./places.js";
import { Stage, at, listening, setUp } from "./stage.js";
import { Script } from "./fleet.js";

const NODES = 3;

let stage;
let script;
let page;

before(async () => {
  stage = await Stage.open({ nodes: NODES, settings: "[poll]\nevery_ms = 500\ntimeout_ms = 400\n" });
  page = await setUp(stage, await stage.visitor());
  await page.addInitScript(tools);
  script = await Script.of(stage);
  await script.furnish(NODES);
});
after(() => stage.close());

// What is asked of a page, in the page.
function tools() {
  const ASKED = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  // Of radio buttons that belong together one is a stop: the chosen one.
  const isPassedBy = (radio) => {
    if (radio.type !== "radio") return false;
    const group = [...document.querySelectorAll("input[type=radio]")].filter(({ name, form }) => name === radio.name && form === radio.form);
    return radio !== (group.find(({ checked }) => checked) ?? group[0]);
  };
  const named = (element) => {
    const text = element.getAttribute("aria-label") ?? element.name ?? "";
    return `${element.localName} ${(text || element.textContent).trim().replaceAll(/\s+/g, " ").slice(0, 40)}`;
  };
  // What shows the focus of a box that is drawn by its label.
  const drawn = (element) => Number(getComputedStyle(element).opacity) > 0 ? element : element.closest("label");
  const look = (element) => {
    const { outlineStyle, outlineWidth, outlineColor, outlineOffset, boxShadow, backgroundColor, borderColor } = getComputedStyle(element);
    return { outlineStyle, outlineWidth, outlineColor, outlineOffset, boxShadow, backgroundColor, borderColor };
  };
  // Whether the ring around an element is cut off by what holds it.
  const isCut = (element, style) => {
    const reach = Math.max(0, Number.parseFloat(style.outlineOffset) + Number.parseFloat(style.outlineWidth));
    const ring = element.getBoundingClientRect();
    for (let holder = element.parentElement; holder && holder !== document.body; holder = holder.parentElement) {
      const { overflowX, overflowY, position } = getComputedStyle(holder);
      const room = holder.getBoundingClientRect();
      const x = overflowX !== "visible" && (ring.left - reach < room.left - 0.5 || ring.right + reach > room.right + 0.5);
      const y = overflowY !== "visible" && (ring.top - reach < room.top - 0.5 || ring.bottom + reach > room.bottom + 0.5);
      if (x || y) return `${holder.localName}.${holder.className}`;
      if (position === "fixed") return null;
    }
    return null;
  };

  window.tools = {
    // Numbers the stops, and tells their names.
    stops() {
      document.activeElement?.blur();
      const all = [...document.querySelectorAll(ASKED)];
      const seen = all.filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0);
      const stops = seen.filter((element) => !isPassedBy(element));
      window.resting = stops.map((element) => look(drawn(element)));
      return stops.map((element, at) => {
        element.dataset.stop = at;
        return named(element);
      });
    },

    // Where the focus is, and what is wrong with how it shows there.
    here() {
      const active = document.activeElement;
      if (!active || active === document.body) return null;
      const stop = active.dataset.stop;
      const told = { stop: stop === undefined ? null : Number(stop), name: named(active), wrong: [] };
      const element = drawn(active);
      const style = look(element);
      const rest = window.resting?.[told.stop];
      const isRinged = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
      if (!isRinged || (rest && JSON.stringify(rest) === JSON.stringify(style))) told.wrong.push("shows no focus");
      const cut = isCut(element, style);
      if (isRinged && cut) told.wrong.push(`its ring is cut by ${cut}`);
      // Each end and the middle of its first line: under nothing, and on the screen.
      const box = element.getClientRects()[0] ?? element.getBoundingClientRect();
      const x = Math.min(box.left + box.width / 2, innerWidth - 2);
      const points = box.height > innerHeight / 2 ? [0.5] : [0.2, 0.5, 0.8];
      for (const part of points) {
        const over = document.elementFromPoint(x, box.top + box.height * part);
        const isSame = over && (element.contains(over) || over.contains(element) || over.closest("label")?.contains(element));
        // In a picture a line may cross what it leads to.
        if (isSame || (over?.ownerSVGElement && over.ownerSVGElement === element.ownerSVGElement)) continue;
        told.wrong.push(over ? `lies under ${over.localName}.${over.className?.baseVal ?? over.className}` : "is off the screen");
        break;
      }
      // A region that scrolls and holds nothing to stop at is one itself.
      if (told.stop === null && window.resting && active.scrollWidth <= active.clientWidth && active.scrollHeight <= active.clientHeight) {
        told.wrong.push("is no stop");
      }
      return told;
    },
  };
}

const here = (on = page) => on.evaluate(() => window.tools.here());

// From a stop on presses a key until the focus has left the page or come around; gives the stops in order, each once.
async function walk(on, key, from, count) {
  await on.evaluate((stop) => document.querySelector(`[data-stop='${stop}']`).focus(), from);
  const seen = [await here(on)];
  for (let press = 0; press < 8 * count + 40; press += 1) {
    await on.keyboard.press(key);
    const stop = await here(on);
    const last = seen.at(-1);
    if (stop === null || (stop.stop === from && last.stop !== from)) return seen;
    // A date is one field with several places.
    if (stop.name !== last.name || stop.stop !== last.stop) seen.push(stop);
  }
  throw new Error(`the focus never left: it is at ${seen.at(-1)?.name}`);
}

const faults = (walked) => walked.flatMap(({ name, wrong }) => wrong.map((what) => `${name}: ${what}`));
const order = (walked) => walked.filter(({ stop }) => stop !== null).map(({ stop, name }) => `${stop} ${name}`);

// From the skip link to the end of the page and back.
async function thereAndBack(on) {
  const stops = await on.evaluate(() => window.tools.stops());
  const wanted = stops.map((name, at) => `${at} ${name}`);
  const onwards = await walk(on, "Tab", 0, stops.length);
  assert.deepEqual(order(onwards), wanted, "forwards");
  assert.deepEqual(faults(onwards), []);

  const back = await walk(on, "Shift+Tab", stops.length - 1, stops.length);
  assert.deepEqual(order(back).reverse(), wanted, "backwards");
  assert.deepEqual(faults(back), []);
}

for (const path of [...PAGES, ...EMPTY]) {
  test(`the keyboard goes through ${path} and back`, async () => {
    await page.goto(path);
    await thereAndBack(page);

    await page.locator(".skip").focus();
    assert.ok(await page.locator(".skip").evaluate((link) => link.getBoundingClientRect().top >= 0), "the way past the menu shows itself");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => {
      const main = document.querySelector("main");
      return main.contains(document.activeElement) || !main.querySelector("[data-stop]");
    }), "the first stop behind the menu is the page's");
  });
}

for (const path of OUTSIDE) {
  test(`the keyboard goes through ${path} and back, before anybody is signed in`, async () => {
    const context = await stage.visitor();
    const stranger = await context.newPage();
    await stranger.addInitScript(tools);
    await stranger.goto(path);
    await thereAndBack(stranger);
    await context.close();
  });
}

test("a page on a narrow screen is walked through as well, and its menu opens, closes and gives the focus back", async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  try {
    for (const path of ["/", "/nodes", "/nodes/1", "/peers", "/peers/1", "/networks/1", "/profile"]) {
      await page.goto(path);
      await thereAndBack(page);
    }
    await page.goto("/");
    await page.locator(".burger").focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("#nav:popover-open");
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement.matches("#nav a[href='/']")), "the menu follows its button");
    assert.deepEqual((await here()).wrong, []);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#nav:popover-open").count(), 0);
    assert.ok(await page.evaluate(() => document.activeElement.matches(".burger")));
  } finally {
    await page.setViewportSize({ width: 1280, height: 720 });
  }
});

test("the palette opens by keys and by its link, closes by Escape and gives the focus back to where it was", async () => {
  await page.goto("/nodes");
  const isOpen = async () => await page.locator("#palette:popover-open").count() === 1;
  for (const [from, keys] of [[".find", "Enter"], ["#rows th a >> nth=1", "/"], [".tools [name=q]", "Control+k"], [".tools button", "Control+k"]]) {
    await page.locator(from).focus();
    await page.keyboard.press(keys);
    assert.ok(await isOpen(), keys);
    assert.equal(await page.evaluate(() => document.activeElement.id), "palette-q");
    assert.deepEqual((await here()).wrong, []);
    await page.keyboard.press("Escape");
    assert.ok(!await isOpen());
    assert.ok(await page.locator(from).evaluate((element) => element === document.activeElement), `back to ${from}`);
  }
});

test("the palette is searched, walked through and left by keys alone", async () => {
  await page.goto("/nodes");
  await page.keyboard.press("/");
  const answered = page.waitForResponse((answer) => at("/search/found")(new URL(answer.url())));
  await page.keyboard.type("laptop-ops");
  await answered;
  await page.waitForSelector("#found a:has-text('laptop-ops')");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement.matches("#found a")), "what was found is next");
  assert.deepEqual((await here()).wrong, []);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/peers\/\d+$/);

  await page.keyboard.press("/");
  await page.waitForSelector("#palette:popover-open");
  const count = await page.locator("#palette a").count();
  for (let press = 0; press < count + 2; press += 1) await page.keyboard.press("Tab");
  assert.equal(await page.locator("#palette:popover-open").count(), 0, "what is left behind covers nothing");
});

test("what unfolds does so by Enter, and its stops are then part of the way", async () => {
  for (const [path, summary] of [["/nodes", ".side summary"], ["/peers/new", "main summary"]]) {
    await page.goto(path);
    const details = page.locator(summary).locator("..");
    await page.locator(summary).focus();
    await page.keyboard.press("Enter");
    assert.equal(await details.evaluate((element) => element.open), true);
    await thereAndBack(page);
    await page.locator(summary).focus();
    await page.keyboard.press("Enter");
    assert.equal(await details.evaluate((element) => element.open), false);
  }
});

test("what changes elsewhere takes the focus away from nobody", async () => {
  await page.goto("/peers");
  await listening(page);
  const link = page.locator("#rows a:text-is('laptop-ops')");
  await link.focus();
  const row = await link.evaluate((element) => { element.closest("tr").dataset.before = ""; return element.closest("tr").id; });
  await script.ask("PATCH", `/peers/${row.replace("peer-", "")}`, { enabled: false });
  await page.waitForSelector(`#${row} .tag.off`);
  assert.ok(await link.evaluate((element) => element === document.activeElement));
  assert.deepEqual((await here()).wrong, []);
});
