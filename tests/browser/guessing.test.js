// Whoever guesses is asked for work, then made to wait, and so is who knows the password.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN, Stage, setUp, signIn } from "./stage.js";

const GUESS = { name: ADMIN.name, password: "perhaps it is this one" };

let stage;
before(async () => {
  stage = await Stage.open();
  await setUp(stage, await stage.visitor());
});
after(() => stage.close());

test("two wrong passwords bring a proof of work, five a wait, in words each time", async () => {
  const context = await stage.visitor();
  const page = await context.newPage();
  await page.goto("/login");
  assert.equal(await page.locator("altcha-widget").count(), 0);
  for (const status of [422, 422]) assert.equal((await signIn(page, GUESS)).status(), status);
  assert.equal(await page.locator("altcha-widget").count(), 1);

  const plain = await (await stage.visitor({ javaScriptEnabled: false })).newPage();
  await plain.goto("/login");
  assert.match(await plain.locator("noscript").innerText(), /needs scripts/);
  assert.equal((await signIn(plain)).status(), 422);
  assert.match(await plain.locator(".err[role=alert]").first().innerText(), /prove some work/);

  const proved = () => page.waitForFunction(() => document.querySelector("[name=altcha]")?.value);
  for (const _ of [3, 4, 5]) {
    await proved();
    assert.equal((await signIn(page, GUESS)).status(), 422);
    assert.match(await page.locator(".err[role=alert]").first().innerText(), /do not go together/);
  }

  await proved();
  const refused = await signIn(page);
  assert.equal(refused.status(), 429);
  assert.ok(Number(refused.headers()["retry-after"]) > 200);
  assert.match(await page.locator(".err[role=alert]").first().innerText(), /Too many tries\. Try again in/);
  assert.deepEqual(context.complaints, []);
});
