// The console over two real nodes: every screen in light and dark, wide and narrow, in both languages; by keyboard alone;
// what two windows do at once; and the story: asked, offered, accepted, signed, on the case.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { catalogues, complete, faults, first, named } from "../../console/scripts/catalogues.mjs";
import { openIn } from "./looks.js";
import { until } from "./nodes.js";
import { ask, button, called, dialog, Two } from "./two.js";

let two, browser, fr, ee, french, estonian;

before(async () => {
  two = await Two.start();
  ({ browser, fr, ee, french, estonian } = two);
});

after(() => two?.stop());

const sit = (...where) => two.sit(...where);
const looksRight = (...what) => two.looksRight(...what);

describe("the catalogues", () => {
  test("every language that is offered says everything, and none says more", () => {
    const all = catalogues();
    assert.ok(all.get("en").size > 250, `${all.get("en").size} messages`);
    for (const language of all.keys()) assert.deepEqual(faults(language, all), [], language);
    assert.deepEqual(complete(), ["en", "fr"]);
    const unsaid = [...named()].filter((message) => !all.get("en").has(message));
    assert.deepEqual(unsaid, []);
    const lacking = new Map([["en", all.get("en")], ["de", new Map([["skip", new Set()]])]]);
    assert.ok(faults("de", lacking).length > 250);
    assert.deepEqual(faults("de", new Map([["en", new Map([["a", new Set()]])], ["de", new Map([["a", new Set()], ["b", new Set()]])]])), ["de has b beyond the English one"]);
  });

  test("what the first screen says is in the part that it loads", () => {
    const { lacking, count } = first();
    assert.ok(count > 60, `${count} messages`);
    assert.deepEqual(lacking, []);
  });

  test("what a language lacks is said in English, and never by its name", async () => {
    const opened = await openIn(browser, fr, french, { locale: "fr" });
    await opened.context.route(/assets\/fr-/, (route) => route.fulfill({ contentType: "text/javascript", body: "export default `ask-for-help = Demander de l’aide`" }));
    await opened.go("/console/");
    await opened.page.getByRole("link", { name: "Demander de l’aide" }).waitFor();
    await opened.page.getByRole("heading", { name: "Who asks, who helps" }).waitFor();
    assert.doesNotMatch(await opened.page.locator("body").innerText(), /\{[a-z0-9-]+\}/);
    assert.deepEqual(opened.complaints, []);
    await opened.close();
  });
});

describe("the story", () => {
  test("help is asked, offered, accepted, signed, and somebody is on the case, each from its own seat", async () => {
    const seat = { fr: await sit(fr, french), ee: await sit(ee, estonian) };
    const asks = seat.fr.page;
    await asks.getByRole("link", { name: "Ask for help" }).click();
    await asks.getByLabel("Whom to call").fill("Duty officer, +33 1 00 00 00 00");
    await asks.getByLabel("Life or health is at risk").check();
    await button(asks, "Who will see it?").click();
    await dialog(asks).getByText("1 nation will see it").waitFor();
    assert.match(await dialog(asks).innerText(), /Estonia/);
    assert.ok(await button(asks, "Send the call for help").isDisabled());
    await dialog(asks).getByLabel(/I have read who will see it/).check();
    await button(asks, "Send the call for help").click();
    await asks.getByRole("heading", { level: 1, name: "2 × forensics, remote" }).waitFor();

    const helps = seat.ee.page;
    await helps.getByRole("link", { name: /^Offer help for FR-/ }).click();
    await dialog(helps).getByText("1 nation will see it").waitFor();
    await dialog(helps).getByLabel("Whom to call").fill("Duty officer, +372 000 0000");
    await button(helps, "Send the offer").click();
    await dialog(helps).waitFor({ state: "detached" });

    await button(asks, "Accept Estonia’s offer").click();
    await button(asks, "Accept").click();
    await dialog(asks).waitFor({ state: "detached" });
    await button(helps, "Sign: it is in force").click();
    await button(helps, "Sign").click();
    await dialog(helps).waitFor({ state: "detached" });
    await button(helps, "Begin the mission").click();
    await dialog(helps).getByLabel("Who leads it").fill("Team leader (invented)");
    await button(helps, "Send the news").click();
    await dialog(helps).waitFor({ state: "detached" });

    await asks.locator(".mission").getByText("on task", { exact: true }).waitFor();
    assert.match(await asks.locator(".timeline").innerText(), /asked for help[\s\S]*offered help[\s\S]*accepted the offer[\s\S]*signed: in force[\s\S]*mission: on task/);
    await asks.getByRole("link", { name: "Situation" }).click();
    assert.match(await asks.locator(".column[aria-label='On mission']").innerText(), /2 × forensics/);
    assert.match(await asks.locator(".rank").innerText(), /France[\s\S]*asks for help[\s\S]*Estonia[\s\S]*helps/);
    assert.equal(await asks.locator(".state").count(), 27);
    assert.equal(await asks.locator(".state.none").count(), 25);
    for (const { complaints, close } of Object.values(seat)) { assert.deepEqual(complaints, []); await close(); }
  });

  test("two windows that accept at once book once, and the second says why", async () => {
    await french.command("POST", "/assistance", ask("Two windows"));
    const row = await called(estonian, "Two windows");
    await estonian.command("POST", `/assistance/${row.entry}/reply`, { answer: "yes", call: "duty officer" });
    await until("the offer", async () => (await french.command("GET", `/assistance/${row.entry}`)).answers.length === 1);
    const windows = await Promise.all([0, 1].map(() => sit(fr, french, `/assistance/${row.entry}`)));
    for (const { page } of windows) {
      await button(page, "Accept Estonia’s offer").click();
      await button(page, "Accept").waitFor();
    }
    // As fast as a browser can, twice in each.
    await Promise.all(windows.map(({ page }) => button(page, "Accept").evaluate((one) => { one.click(); one.click(); })));
    const said = await Promise.all(windows.map(async ({ page }) => {
      await page.waitForFunction(() => !document.querySelector("dialog") || document.querySelector("dialog [role=alert]"));
      return await dialog(page).count() ? dialog(page).getByRole("alert").innerText() : "";
    }));
    assert.equal(said.filter((text) => text === "").length, 1, said.join(" / "));
    assert.equal(said.filter((text) => text.length > 20).length, 1, said.join(" / "));
    const whole = await french.command("GET", `/assistance/${row.entry}`);
    assert.deepEqual(whole.answers.flatMap((offer) => offer.agreements).map((one) => one.lines), [[{ line: 1, quantity: 2 }]]);
    for (const { close } of windows) await close();
  });

  test("what is typed outlives the page until it was sent", async () => {
    const { page, close } = await sit(fr, french, "/ask");
    await page.getByLabel("Whom to call").fill("the night desk");
    await page.getByLabel("How many").fill("7");
    await page.waitForTimeout(100);
    await page.reload();
    assert.equal(await page.getByLabel("Whom to call").inputValue(), "the night desk");
    assert.equal(await page.getByLabel("How many").inputValue(), "7");
    // A node that does not answer loses nothing either.
    await page.route("**/api/v1/who-sees", (route) => route.abort());
    await button(page, "Who will see it?").click();
    await dialog(page).getByRole("alert").waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await page.getByLabel("Whom to call").inputValue(), "the night desk");
    await close();
  });
});

describe("the shell", () => {
  test("by keyboard alone one finds a call for help, opens it, and comes back", async () => {
    await french.command("POST", "/assistance", ask("By keyboard"));
    const { page, complaints, close } = await sit(fr, french);
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByRole("heading", { level: 1, name: "Assistance" }).waitFor();
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    await page.keyboard.type("keyboard");
    await page.waitForURL(/q=keyboard/);
    await page.keyboard.press("Tab");
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "By keyboard" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("journal");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Journal" }).waitFor();
    await page.keyboard.press("?");
    await dialog(page).getByText("Next row, row before").waitFor();
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await page.keyboard.press("Tab");
    assert.deepEqual(complaints, []);
    await close();
  });

  test("single keys can be switched off", async () => {
    const { page, close } = await sit(fr, french);
    await button(page, "Settings").click();
    await dialog(page).getByLabel(/Single keys/).uncheck();
    await button(page, "Close").click();
    await page.keyboard.press("?");
    assert.equal(await dialog(page).count(), 0);
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    assert.equal(new URL(page.url()).hash, "#/");
    await close();
  });

  test("a screen that hears nothing turns amber, then red, and says how old it is", async () => {
    const opened = await openIn(browser, fr, french);
    await opened.page.clock.install();
    await opened.context.route("**/api/v1/events", (route) => route.abort());
    await opened.go("/console/");
    await opened.page.locator(".live.on").waitFor();
    await opened.page.clock.runFor(20_000);
    await opened.page.locator(".live.late").waitFor();
    await opened.page.clock.runFor(50_000);
    assert.match(await opened.page.locator(".live.stale").innerText(), /Not live: showing \d\d:\d\dZ data/);
    await opened.close();
  });

  test("whoever is not logged in comes to the login, and from there to the screen that was wanted", async () => {
    const { page, go, close } = await openIn(browser, ee, null);
    await go("/console/#/partners");
    await page.waitForURL(/\/login\?to=/);
    const { login, password, code } = await ee.credentials();
    await page.getByLabel("Login").fill(login);
    await page.getByLabel("Password").fill(password);
    await page.getByLabel("One-time code").fill(code);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Partners" }).waitFor();
    await close();
  });

  test("a node of its own has no seats to change", async () => {
    assert.equal((await french.command("GET", "/session")).seats, null);
    const { page, close } = await sit(fr, french);
    assert.equal(await page.getByText("Change seats").count(), 0);
    await close();
  });

  test("all filters are in the address", async () => {
    const { page, close } = await sit(fr, french, "/assistance?kind=recovery");
    await page.getByText("Nothing fits these filters.").waitFor();
    await page.getByLabel("Kind of help").selectOption("forensics");
    await page.waitForURL(/kind=forensics/);
    assert.ok(await page.locator(".case").count() > 0);
    await close();
  });
});

describe("every screen looks right", () => {
  let entry;
  before(async () => { entry = (await called(french, "Two windows")).entry; });
  const both = { languages: ["en", "fr"] };
  test("situation", () => looksRight(fr, french, "/", both));
  test("situation as a table, with partners' clocks", () => looksRight(fr, french, "/?view=table&clocks=partners"));
  test("situation of one nation", () => looksRight(ee, estonian, "/?state=FR"));
  test("inbox", () => looksRight(ee, estonian, "/inbox", both));
  test("assistance", () => looksRight(fr, french, "/assistance", both));
  test("a case", () => looksRight(fr, french, `/assistance/${entry}`, both));
  test("a case at its helper", () => looksRight(ee, estonian, `/assistance/${entry}`));
  test("ask", () => looksRight(fr, french, "/ask", both));
  test("who will see it", () => looksRight(fr, french, "/ask", { ...both, prepare: async (page) => {
    await page.locator("#call").fill("duty officer");
    await page.locator("form button.primary").click();
    await page.locator("dialog .who").waitFor();
  } }));
  test("a signature before it is sent", () => looksRight(ee, estonian, `/assistance/${entry}`, { prepare: async (page) => {
    await page.locator(".turn button.primary").first().click();
    await page.locator("dialog .who").waitFor();
  } }));
  test("partners", () => looksRight(fr, french, "/partners", both));
  test("journal", () => looksRight(fr, french, "/journal", both));
  test("a proof in words", () => looksRight(fr, french, "/journal/FR:1", both));
  test("palette, help and settings", async () => {
    for (const keys of ["Control+k", "?"]) await looksRight(fr, french, "/", { ...both, prepare: async (page) => { await page.keyboard.press(keys); await page.locator("dialog").waitFor(); } });
    await looksRight(fr, french, "/", { ...both, prepare: async (page) => { await page.locator(".bar .small").first().click(); await page.locator("dialog").waitFor(); } });
  });
});
