// From nothing to a node whose strangers are taken over, all by forms; with scripts and without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage, at, flash, setUp, signIn } from "./stage.js";

const NODES = 2;
const PEERS = 3;

let stage;
const visits = [];
before(async () => {
  stage = await Stage.open({ nodes: NODES, peersOfEach: PEERS, settings: "[poll]\nevery_ms = 500\ntimeout_ms = 400\n" });
  await setUp(stage, await stage.visitor({ javaScriptEnabled: false }));
  for (const javaScriptEnabled of [true, false]) {
    const context = await stage.visitor({ javaScriptEnabled });
    const page = await context.newPage();
    await signIn(page);
    visits.push({ context, page });
  }
});
after(() => stage.close());

for (const [number, javaScriptEnabled] of [true, false].entries()) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";
  const name = `fra-${number + 1}`;

  test(`a network is made, after one that cannot be was refused beside its field, ${how}`, async () => {
    const { page } = visits[number];
    await page.goto("/networks/new");
    await page.fill("[name=name]", `office-${number}`);
    await page.fill("[name=cidr_v4]", "10.300.0.0/16");
    await page.click("main .pri");
    await page.waitForSelector("[name=cidr_v4][aria-invalid=true]");
    assert.equal(await page.inputValue("[name=name]"), `office-${number}`);
    // That of the node's simulated peers.
    const prefix = stage.nodes[number].addresses[0].replace(".1/", ".0/");
    await page.fill("[name=cidr_v4]", prefix);
    await page.click("main .pri");
    await page.waitForURL(/\/networks\/\d+$/);
    assert.ok((await page.locator("main").innerText()).includes(prefix));
  });

  test(`a node is tested with a wrong secret, then with its own, and added, ${how}`, async () => {
    const { page } = visits[number];
    const { url, secret } = stage.nodes[number];
    await page.goto("/nodes/new");
    await page.fill("[name=name]", name);
    await page.fill("[name=agent_url]", url);
    await page.fill("[name='interface.endpoint']", `${name}.example.org:51820`);
    await page.selectOption("[name='interface.network']", { label: `office-${number}` });
    await page.fill("[name=secret]", stage.nodes[1 - number].secret);
    await page.click("[formaction='/nodes/test']");
    await page.waitForSelector("#tested .tag.bad");
    assert.match(await page.locator("#tested").innerText(), /not well[\s\S]*Failed\s*Signature:/);
    assert.equal(await page.locator("#tested .tag.off").count() > 0, true, "what comes after is not asked");

    await page.fill("[name=secret]", secret);
    await page.click("[formaction='/nodes/test']");
    await page.waitForSelector("#tested:has-text('The connection is well')");
    assert.equal(await page.locator("#tested .tag:not(.ok)").count(), 0);
    assert.equal(await page.inputValue("[name=name]"), name);

    await page.fill("[name=secret]", secret);
    await page.click("main .pri");
    await page.waitForURL(at(`/nodes/${number + 1}`));
    assert.equal(await page.locator("h1").innerText(), name);
  });

  test(`peers that nobody asked for are shown, one is taken over by name and then the rest, ${how}`, async () => {
    const { context, page } = visits[number];
    const path = `/nodes/${number + 1}`;
    await page.goto(path);
    for (let tries = 0; await page.locator("#drift .item").count() < PEERS && tries < 50; tries += 1) {
      await page.waitForTimeout(200);
      await page.reload();
    }
    const items = page.locator("#drift .item");
    assert.equal(await items.count(), PEERS);
    assert.match(await items.first().innerText(), /AllowedIPs = 10\./);

    await items.first().locator("[name=name]").fill(`site-${number}`);
    await items.first().locator("button.sm").click();
    await flash(page, "1 peer is adopted");
    assert.equal(await items.count(), PEERS - 1);
    await page.click("form:has([name=all]) button");
    await flash(page, "2 peers are adopted");
    assert.equal(await items.count(), 0);

    // Nobody is left whom somebody has to look at.
    await page.goto(path);
    for (let tries = 0; await page.locator(".board .bad").count() && tries < 50; tries += 1) {
      await page.waitForTimeout(200);
      await page.reload();
    }
    assert.equal(await page.locator(".board .bad").count(), 0);

    await page.goto(`/peers?q=site-${number}`);
    assert.equal(await page.locator(`#rows a:text-is("site-${number}")`).count(), 1);
    assert.deepEqual(context.complaints, []);
  });
}
