// What a browser makes of long lists: when the first of a page is seen, and whether anything holds the page up, while it
// is loaded, while its rows come anew, and while somebody types. One line of JSON; nothing here judges it.
//
// By the clock a task is also as long as the machine's other work lets it be, which loading has plenty of; so the
// processor's time of the longest one is told too.
//
//     WGFLEET_URL=… WGFLEET_COOKIE=name=value node paint.js
//
// The cookie is an administrator's.

import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { listening } from "./stage.js";

const LOADS = 10;
const REFRESHES = 10;
const SEARCHES = ["phone-0123", "laptop", "10.0.64.7", "nobody-at-all"];
const LISTS = ["/peers", "/nodes"];

// In the page before anything of it runs; the browser's debugger puts it there, which the page's policy does not concern.
function watch() {
  window.seen = { paint: null, tasks: [] };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") window.seen.paint = entry.startTime;
  }).observe({ type: "paint", buffered: true });
  // Of 50 ms or more: shorter ones hold up nobody.
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.seen.tasks.push(entry.duration);
  }).observe({ type: "longtask", buffered: true });
}

const seen = (page) => page.evaluate(() => window.seen);
// What is observed is told a moment later.
const settled = (page) => page.waitForTimeout(500);

async function open(browser, url, cookie) {
  const [name, value] = cookie.split("=");
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 900 } });
  await context.addCookies([{ name, value, url }]);
  await context.addInitScript(watch);
  return context;
}

async function load(page, path) {
  await page.goto(path, { waitUntil: "load" });
  await page.waitForFunction(() => window.seen.paint !== null);
  await settled(page);
  return await seen(page);
}

// A watch that saw nothing would call everything fast.
async function sees(page) {
  await page.evaluate(() => setTimeout(() => {
    const end = performance.now() + 120;
    while (performance.now() < end);
  }));
  await settled(page);
  const { tasks } = await seen(page);
  if (!tasks.some((task) => task >= 100)) throw new Error("a task of 120 ms was not seen");
}

const isRows = (answer) => new URL(answer.url()).pathname === "/peers/rows";

// Somebody else switches a peer off and on, and the open list shows it.
async function refresh(context, page) {
  await load(page, "/peers");
  await listening(page);
  const path = await page.locator("#rows tbody th a").first().getAttribute("href");
  const csrf = await page.locator("#rows [name=csrf]").inputValue();
  const before = (await seen(page)).tasks.length;
  for (let n = 0; n < REFRESHES; n += 1) {
    const answered = page.waitForResponse(isRows);
    const answer = await context.request.post(`${path}/${n % 2 ? "enable" : "disable"}`, { form: { csrf }, maxRedirects: 0 });
    if (answer.status() !== 303) throw new Error(`the peer was not switched: ${answer.status()}`);
    await (await answered).finished();
    await settled(page);
  }
  return (await seen(page)).tasks.slice(before);
}

async function type(page) {
  await load(page, "/peers");
  const before = (await seen(page)).tasks.length;
  const field = page.locator("main .tools [name=q]");
  for (const text of SEARCHES) {
    await field.fill("");
    const answered = page.waitForResponse((answer) => isRows(answer) && new URL(answer.url()).searchParams.get("q") === text);
    await field.pressSequentially(text, { delay: 60 });
    await (await answered).finished();
    await settled(page);
  }
  return (await seen(page)).tasks.slice(before);
}

// The longest that the main thread of a loading page did at a time, in milliseconds of the processor; by the clock where
// the browser does not tell that.
async function longestTask(browser, page, path) {
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await page.goto(path, { waitUntil: "load" });
  await settled(page);
  const { traceEvents: all } = JSON.parse(await browser.stopTracing());
  // A browser has threads for pages that nobody sees yet; those of this page are in the process that it was loaded in.
  const loading = new Set(all.filter(({ name }) => name === "navigationStart").map(({ pid }) => pid));
  const isMain = ({ name, args, pid }) => name === "thread_name" && args.name === "CrRendererMain" && loading.has(pid);
  const mains = new Set(all.filter(isMain).map(({ pid, tid }) => `${pid}/${tid}`));
  const tasks = all.filter(({ name, ph, pid, tid }) => ph === "X" && name.endsWith("RunTask") && mains.has(`${pid}/${tid}`));
  if (!tasks.length) throw new Error("no task was traced");
  return Math.max(...tasks.map(({ dur, tdur }) => tdur ?? dur)) / 1000;
}

export async function measure(browser, url, cookie) {
  const told = { lists: {}, refreshes: REFRESHES, searches: SEARCHES.length };
  for (const path of LISTS) {
    const cold = [];
    const warm = [];
    // The first start of a browser is not the page's.
    await (await open(browser, url, cookie)).close();
    for (let n = 0; n < LOADS; n += 1) {
      const context = await open(browser, url, cookie);
      cold.push(await load(await context.newPage(), path));
      await context.close();
    }
    const traced = [];
    for (let n = 0; n < LOADS; n += 1) {
      const context = await open(browser, url, cookie);
      traced.push(await longestTask(browser, await context.newPage(), path));
      await context.close();
    }
    const context = await open(browser, url, cookie);
    const page = await context.newPage();
    await load(page, path);
    await sees(page);
    for (let n = 0; n < LOADS; n += 1) warm.push(await load(page, path));
    await context.close();
    told.lists[path] = {
      cold_ms: cold.map(({ paint }) => paint),
      warm_ms: warm.map(({ paint }) => paint),
      processor_ms: traced,
      tasks_ms: [...cold, ...warm].flatMap(({ tasks }) => tasks),
    };
  }
  const context = await open(browser, url, cookie);
  const page = await context.newPage();
  told.refresh_tasks_ms = await refresh(context, page);
  told.typing_tasks_ms = await type(page);
  await context.close();
  return told;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const browser = await chromium.launch({
    executablePath: process.env.WGFLEET_CHROMIUM ?? "/usr/bin/chromium",
    args: process.getuid() === 0 ? ["--no-sandbox"] : [],
  });
  try {
    console.log(JSON.stringify(await measure(browser, process.env.WGFLEET_URL, process.env.WGFLEET_COOKIE)));
  } finally {
    await browser.close();
  }
}
