// Language and theme, as the browser asks and as somebody chose; with scripts and without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage, flash, setUp, signIn } from "./stage.js";

const LIGHT = "rgb(251, 250, 247)";
const DARK = "rgb(17, 22, 21)";

let stage;
before(async () => {
  stage = await Stage.open({ settings: "[sign_in]\ncaptcha = \"off\"\n" });
  await setUp(stage, await stage.visitor());
});
after(() => stage.close());

const paper = (page) => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`a French browser is spoken to in French, until somebody chooses otherwise, ${how}`, async () => {
    const context = await stage.visitor({ javaScriptEnabled, locale: "fr-FR" });
    const page = await context.newPage();
    await page.goto("/login");
    assert.equal(await page.locator("h1").innerText(), "Se connecter");
    await signIn(page, { name: "ada", password: "une phrase qui n’est pas la bonne" });
    assert.equal(await page.locator(".err[role=alert]").first().innerText(), "L’identifiant et le mot de passe ne vont pas ensemble.");
    await signIn(page);
    await page.goto("/nodes");
    assert.equal(await page.locator("h1").innerText(), "Nœuds");
    assert.equal(await page.locator("html").getAttribute("lang"), "fr");

    await page.goto("/profile");
    await page.check("main [name=language][value=en]", { force: true });
    await page.locator("main form[action='/profile/display'] .pri").click();
    await flash(page, "The display is saved");
    await page.goto("/nodes");
    assert.equal(await page.locator("h1").innerText(), "Nodes");

    await page.goto("/profile");
    await page.check("main [name=language] >> nth=0", { force: true });
    await page.locator("main form[action='/profile/display'] .pri").click();
    await flash(page, "enregistré");
    assert.deepEqual(context.complaints, []);
  });

  test(`pages are dark where the system is, and as somebody chose otherwise, ${how}`, async () => {
    const context = await stage.visitor({ javaScriptEnabled, colorScheme: "dark" });
    const page = await context.newPage();
    await page.goto("/login");
    assert.equal(await paper(page), DARK);
    await signIn(page);
    await page.goto("/nodes");
    assert.equal(await paper(page), DARK);
    await page.emulateMedia({ colorScheme: "light" });
    assert.equal(await paper(page), LIGHT);

    for (const [theme, colour] of [["dark", DARK], ["light", LIGHT], ["system", LIGHT]]) {
      await page.goto("/profile");
      await page.check(`main [name=theme][value=${theme}]`, { force: true });
      assert.equal(await paper(page), colour, "a choice is seen before it is saved");
      await page.locator("main form[action='/profile/display'] .pri").click();
      await page.waitForSelector(".flash");
      await page.goto("/nodes");
      assert.equal(await paper(page), colour);
    }
    assert.deepEqual(context.complaints, []);
  });
}
