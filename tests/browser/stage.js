// A controller with a fleet, and a browser in front of it. Everything listens on loopback, and ends with the stage.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const program = (name) => {
  const path = process.env[name];
  if (!path) throw new Error(`${name} names no program: run scripts/browser`);
  return path;
};

// Waits until `probe` gives something.
export async function until(what, probe, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

class Running {
  constructor(command, args, options) {
    this.text = "";
    this.process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], ...options });
    this.ended = once(this.process, "exit");
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (data) => { this.text += data; });
  }

  // Waits for a line and gives what the pattern catches.
  says(pattern) {
    return until(`a line like ${pattern}`, () => {
      if (this.process.exitCode !== null) throw new Error(`it ended: ${this.text}`);
      return this.text.match(pattern);
    });
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
  }
}

const REFUSED = /^Failed to load resource: .* status of (422|429) /;

export class Stage {
  static async open({ nodes = 0, peersOfEach = 20, settings = "" } = {}) {
    const stage = new Stage();
    stage.folder = await mkdtemp(join(tmpdir(), "wgfleet-browser-"));
    await chmod(stage.folder, 0o711);
    stage.config = join(stage.folder, "config.toml");
    await writeFile(stage.config, `listen = "127.0.0.1:0"\ndata_dir = "${join(stage.folder, "data")}"\n${settings}`);
    stage.controller = new Running(program("WGFLEET_BIN"), ["serve", "--config", stage.config], { cwd: stage.folder });
    const [, address] = await stage.controller.says(/serving on http:\/\/127\.0\.0\.1:(\d+)/);
    // By name: passkeys are for hosts that have one.
    stage.url = `http://localhost:${address}`;
    [, stage.setup] = await stage.controller.says(/(\/setup\?token=\S+)/);
    if (nodes > 0) {
      stage.nodes = await stage.simulate(nodes, peersOfEach);
    }
    stage.browser = await chromium.launch({
      executablePath: process.env.WGFLEET_CHROMIUM ?? "/usr/bin/chromium",
      args: process.getuid() === 0 ? ["--no-sandbox"] : [],
    });
    return stage;
  }

  // It lives as long as its input, and tells of its nodes in one line.
  async simulate(nodes, peersOfEach) {
    for (let tries = 1; ; tries += 1) {
      // Below the ports that connections get by themselves; somebody may listen on one all the same.
      const firstPort = 12000 + Math.floor(Math.random() * 18000);
      this.simulator = new Running(program("WGFLEET_SIMULATOR"), [nodes, peersOfEach, firstPort].map(String), {});
      try {
        const [, told] = await this.simulator.says(/^(\[.*\])$/m);
        return JSON.parse(told);
      } catch (error) {
        if (tries === 5) throw error;
      }
    }
  }

  // A browser of its own, which notes what a page must not do.
  async visitor(options = {}) {
    const context = await this.browser.newContext({ baseURL: this.url, locale: "en-GB", ...options });
    context.setDefaultTimeout(15000);
    context.complaints = [];
    context.on("weberror", (error) => context.complaints.push(String(error.error())));
    context.on("console", (message) => {
      const text = message.text();
      // Chromium counts every refusal as an error; those that a form explains are none.
      if (REFUSED.test(text)) return;
      if (message.type() === "error" || /Content Security Policy/.test(text)) context.complaints.push(text);
    });
    await context.addInitScript(() => {
      const complain = ({ violatedDirective, blockedURI }) => console.error(`policy: ${violatedDirective} ${blockedURI}`);
      document.addEventListener("securitypolicyviolation", complain);
    });
    return context;
  }

  async close() {
    await this.browser?.close();
    await this.simulator?.stop();
    await this.controller?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export const ADMIN = { name: "ada", password: "ledger quiet harbour 42" };

// For waitForURL: a pattern would also find a path in the query.
export const at = (path) => (url) => url.pathname === path;

// Makes the first administrator by the link that the start printed, and is signed in then.
export async function setUp(stage, context) {
  const page = await context.newPage();
  await page.goto(stage.setup);
  await page.fill("[name=name]", ADMIN.name);
  await page.fill("[name=password]", ADMIN.password);
  await page.click("main button.pri");
  await page.waitForURL((url) => !url.pathname.startsWith("/setup"));
  return page;
}

// Signs out without a word: nothing of the open page asks for anything any more when the cookies are gone.
export async function forget(context, page) {
  await page.goto("about:blank");
  await context.clearCookies();
}

// Waits for what a change leaves on the page that it leads to, and for the whole of that page.
export async function flash(page, text) {
  await page.waitForSelector(`.flash:has-text("${text}")`);
  await page.waitForLoadState();
}

// Waits until the page hears of what changes. What changes before that, it shows when it is loaded.
export async function listening(page) {
  await page.waitForFunction(() => {
    const live = document.getElementById("live");
    return live.textContent.startsWith(live.dataset.live);
  });
}

// Sends name and password, and gives the answer of the server.
export async function signIn(page, { name, password } = ADMIN) {
  if (new URL(page.url(), "http://nowhere").pathname !== "/login") await page.goto("/login");
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  const answer = page.waitForResponse((answer) => answer.request().method() === "POST" && at("/login")(new URL(answer.url())));
  // What is asked of the page next is asked of the one that comes.
  const [there] = await Promise.all([answer, page.waitForEvent("load"), page.click("main button.pri")]);
  return there;
}
