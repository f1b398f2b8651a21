// The way in: the first administrator by the printed link, then by password; with scripts and without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN, Stage, at, setUp, signIn } from "./stage.js";

let stage;
before(async () => { stage = await Stage.open({ settings: "[sign_in]\ncaptcha = \"off\"\n" }); });
after(() => stage.close());

test("the setup link makes the first administrator, once", async () => {
  const context = await stage.visitor();
  const page = await setUp(stage, context);
  assert.equal(await page.locator("h1").count(), 1);
  assert.deepEqual(context.complaints, []);

  const other = await (await stage.visitor()).newPage();
  const answer = await other.goto(stage.setup);
  assert.notEqual(answer.status(), 200);
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`a wrong password is refused in words, the right one leads where somebody wanted to go, ${how}`, async () => {
    const context = await stage.visitor({ javaScriptEnabled });
    const page = await context.newPage();
    await page.goto("/nodes");
    assert.match(page.url(), /\/login\?next=/);

    const refused = await signIn(page, { name: ADMIN.name, password: "not the password at all" });
    assert.equal(refused.status(), 422);
    assert.equal(await page.locator("main .err[role=alert]:visible").count(), 1);
    assert.equal(await page.inputValue("[name=password]"), "");

    await signIn(page);
    await page.waitForURL(at("/nodes"));
    assert.deepEqual(context.complaints, []);
  });

  test(`signing out ends the session, ${how}`, async () => {
    const context = await stage.visitor({ javaScriptEnabled });
    const page = await context.newPage();
    await signIn(page);
    await page.waitForURL(at("/"));
    const before = await context.cookies();

    await page.click(".side summary");
    await page.click("form[action='/logout'] button");
    await page.waitForURL(at("/login"));
    await context.addCookies(before);
    await page.goto("/nodes");
    assert.match(page.url(), /\/login/);
  });
}
