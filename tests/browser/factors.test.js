// What proves who somebody is beside the password: a passkey, an authenticator, recovery codes.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { scan } from "./pictures.js";
import { ADMIN, Stage, at, forget, setUp, signIn } from "./stage.js";

let stage;
before(async () => {
  stage = await Stage.open({ settings: "[sign_in]\ncaptcha = \"off\"\naddress_failures = 100\naccount_failures = 100\n" });
  await setUp(stage, await stage.visitor());
});
after(() => stage.close());

test("a passkey of the profile lets in without name and password, if it knows its owner", async () => {
  const context = await stage.visitor();
  const page = await context.newPage();
  await signIn(page);
  await page.waitForURL(at("/"));
  const device = await context.newCDPSession(page);
  await device.send("WebAuthn.enable");
  const { authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto("/profile");
  await page.fill("[data-passkey] [name=name]", "my laptop");
  await page.click("[data-passkey] button");
  await page.waitForSelector(".item:has-text('my laptop')");
  const { credentials } = await device.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);

  await forget(context, page);
  await device.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.goto("/login?next=/nodes");
  await page.click("[data-passkey] button");
  await page.waitForSelector("[data-passkey] [role=alert]:visible");

  await device.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await page.click("[data-passkey] button");
  await page.waitForURL(at("/nodes"));
  await page.goto("/profile");
  assert.match(await page.locator("tr:has-text('this one')").innerText(), /by passkey/);
  assert.deepEqual(context.complaints, []);

  await page.click(".item:has-text('my laptop') button");
  await page.waitForSelector(".item:has-text('my laptop')", { state: "detached" });
  await forget(context, page);
  await page.goto("/login");
  await page.click("[data-passkey] button");
  await page.waitForSelector("[data-passkey] [role=alert]:visible");
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`an authenticator is set up, asked for, and replaced by a recovery code, ${how}`, async () => {
    const context = await stage.visitor({ javaScriptEnabled });
    const page = await context.newPage();
    await signIn(page);
    await page.waitForURL(at("/"));
    await page.goto("/profile");
    await page.click("form[action='/profile/authenticator'] button");
    const letters = await page.locator(".qr code").innerText();
    const address = new URL(await scan(page.locator(".qr svg").first()));
    assert.equal(address.protocol, "otpauth:");
    assert.equal(address.searchParams.get("secret"), letters);

    await page.fill("[name=code]", "000000");
    await page.click("main button.pri");
    assert.match(await page.locator("main .err").innerText(), /is not the code/);
    const shown = now();
    await page.fill("[name=code]", code(letters, shown));
    await page.click("main button.pri");
    await page.waitForSelector("h1:has-text('Recovery codes')");
    const codes = await page.locator("main ol code").allInnerTexts();
    assert.ok(codes.length >= 8);

    await forget(context, page);
    await signIn(page);
    await page.waitForURL(at("/login/code"));
    await page.fill("[name=code]", code(letters, shown));
    await page.click("main button.pri");
    assert.match(await page.locator("main .err").innerText(), /wrong or was used before/);
    await page.fill("[name=code]", code(letters, shown + 1));
    await page.click("main button.pri");
    await page.waitForURL(at("/"));

    for (const [number, lets] of [[0, true], [0, false], [1, true]]) {
      await forget(context, page);
      await signIn(page);
      await page.waitForURL(at("/login/code"));
      await page.fill("[name=code]", codes[number]);
      await page.click("main button.pri");
      if (lets) await page.waitForURL(at("/"));
      else assert.match(await page.locator("main .err").innerText(), /wrong or was used before/);
    }

    await page.goto("/profile");
    await page.fill("form[action='/profile/recovery-codes'] [name=password]", ADMIN.password);
    await page.click("[formaction='/profile/authenticator/remove']");
    await page.waitForSelector("form[action='/profile/authenticator']");
    await forget(context, page);
    await signIn(page);
    await page.waitForURL(at("/"));
    assert.deepEqual(context.complaints, []);
  });
}

const now = () => Math.floor(Date.now() / 30000);

// RFC 6238, as an authenticator app does it.
function code(letters, step) {
  const bits = [...letters].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac("sha1", secret).update(counter).digest();
  const word = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(word % 1000000).padStart(6, "0");
}
