// Peers made at a browser: whose key is known where, and that what is scanned is what is shown.

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { scan } from "./pictures.js";
import { Stage, at, setUp, signIn } from "./stage.js";
import { Script } from "./fleet.js";

let stage;
before(async () => {
  stage = await Stage.open({ nodes: 1, peersOfEach: 0, settings: "[poll]\nevery_ms = 500\ntimeout_ms = 400\n" });
  await setUp(stage, await stage.visitor());
  await (await Script.of(stage)).furnish(1);
});
after(() => stage.close());

const text = (page) => page.locator("#conf").textContent();
const line = (conf, name) => conf.match(new RegExp(`^${name} = (.*)$`, "m"))?.[1];

async function visit(options) {
  const context = await stage.visitor(options);
  const page = await context.newPage();
  await signIn(page);
  return { context, page };
}

test("a key that the browser made is whole on the page and never on the wire", async () => {
  const { context, page } = await visit({ acceptDownloads: true });
  const wire = [];
  const ear = await context.newCDPSession(page);
  await ear.send("Network.enable", { maxPostDataSize: 1 << 20 });
  ear.on("Network.requestWillBeSent", ({ request }) => wire.push(JSON.stringify(request)));
  ear.on("Network.requestWillBeSentExtraInfo", ({ headers }) => wire.push(JSON.stringify(headers)));
  // Beacons and what other targets send too, and the bytes as they are.
  context.on("request", (request) => wire.push(request.url(), request.postDataBuffer()?.toString("latin1") ?? ""));

  await page.goto("/peers/new");
  await page.fill("[name=name]", "phone-1");
  await page.waitForSelector("[name=key][value=browser]:checked");
  await page.click("main .pri");
  await page.waitForSelector("#conf");
  const conf = await text(page);
  const secret = line(conf, "PrivateKey");
  assert.match(secret, /^[A-Za-z0-9+/]{43}=$/);

  await page.waitForSelector("#conf-scan:has-text('with the private key inside')");
  assert.equal(await scan(page.locator("#conf-scan svg")), conf);
  const file = page.waitForEvent("download");
  await page.click("#conf-file");
  assert.equal(await readFile(await (await file).path(), "utf8"), conf);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state]));
  await page.goto("/peers");
  await page.waitForSelector("#rows");

  const bytes = Buffer.from(secret, "base64");
  const published = publicKey(bytes);
  const sent = decodeURIComponent(wire.join("\n").replaceAll("%", "%25").replaceAll(/%25([0-7][0-9A-Fa-f])/g, "%$1"));
  assert.ok(sent.includes(published), "what was sent was heard: the public key is among it");
  for (const said of [secret, secret.slice(0, 43), bytes.toString("base64url"), bytes.toString("hex"), bytes.toString("latin1")]) {
    assert.ok(!sent.includes(said), "the private key was sent");
    assert.ok(!kept.includes(said), "the private key was kept");
  }
  await page.goto("/peers?q=phone-1");
  await page.click("#rows tbody th a");
  await page.waitForSelector(`code:text-is("${published}")`);
  assert.deepEqual(context.complaints, []);
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`the picture of a key that the controller made holds the very configuration, ${how}`, async () => {
    const { context, page } = await visit({ javaScriptEnabled });
    const name = `laptop-${Number(javaScriptEnabled)}`;
    await page.goto("/peers/new");
    await page.fill("[name=name]", name);
    await page.check("[name=key][value=controller]");
    await page.click("main .pri");
    await page.waitForSelector("#conf");

    const conf = await text(page);
    assert.equal(await scan(page.locator("#conf-scan svg")), conf);
    await page.goto(`/peers?q=${name}`);
    await page.click("#rows tbody th a");
    const published = publicKey(Buffer.from(line(conf, "PrivateKey"), "base64"));
    await page.waitForSelector(`code:text-is("${published}")`);

    // Later there is no key any more, and the picture is that of what is shown then.
    await page.click("a[href*='/config?']");
    await page.waitForSelector("#conf");
    const later = await text(page);
    assert.ok(!later.includes(line(conf, "PrivateKey")));
    assert.equal(await scan(page.locator("#conf-scan svg")), later);
    assert.deepEqual(context.complaints, []);
  });

  test(`a pasted key is refused beside its field, then taken, ${how}`, async () => {
    const { context, page } = await visit({ javaScriptEnabled });
    const key = Buffer.alloc(32, 40 + Number(javaScriptEnabled)).toString("base64");
    await page.goto("/peers/new");
    await page.fill("[name=name]", `site-${Number(javaScriptEnabled)}`);
    await page.check("[name=key][value=pasted]");
    await page.fill("[name=public_key]", "a key, it says");
    await page.click("main .pri");
    await page.waitForSelector("[name=public_key][aria-invalid=true]");
    assert.ok(await page.isVisible("#e-public_key"));
    await page.fill("[name=public_key]", key);
    await page.click("main .pri");
    await page.waitForSelector("#conf");
    assert.ok(!at("/peers/new")(new URL(page.url())));
    assert.doesNotMatch(await text(page), /PrivateKey = [A-Za-z0-9+/]{43}=/);
    assert.deepEqual(context.complaints, []);
  });
}

// As every WireGuard derives it.
function publicKey(secret) {
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), secret]), format: "der", type: "pkcs8" });
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
}
