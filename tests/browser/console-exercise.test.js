// The console below an exercise's path, beside the same node's reality: it says where one is on every screen, asks nothing of
// reality, and keeps nothing for it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, openIn, violations } from "./looks.js";
import { Node, until } from "./nodes.js";
import { ask, button, dialog } from "./two.js";

const REALM = "EX-BLUE-LYNX";
let browser, real, played, reality, exercise;

before(async () => {
  browser = await launch();
  real = await Node.start("FR", "REAL");
  reality = await real.session();
  played = await real.exercise(reality, REALM);
  exercise = await until("the exercise to log somebody in", () => played.session());
  for (const [session, name] of [[reality, "Hospital in reality"], [exercise, "Hospital in the exercise"]]) {
    await session.command("POST", "/audiences", { name: "Friends", kind: "community", members: ["*"] });
    await session.command("POST", "/assistance", ask(name, { audience: "Friends" }));
    await session.command("POST", "/capacities", { name: `Team of the ${name}`, kind: "forensics", quantity: 2, call: "duty officer" });
    await session.command("PUT", "/roster/persons/anna", { person: "anna", name: `Anna of the ${name}`, telephone: "+33 1 23 45 67 89" });
  }
});

after(async () => {
  await browser?.close();
  await real?.stop();
});

const SCREENS = ["/", "/?view=table", "/inbox", "/assistance", "/ask", "/capacities", "/roster", "/partners", "/journal"];
const see = async (opened, path) => {
  await opened.go(`/console/#${path}`);
  await opened.page.locator("main h1").first().waitFor();
  await opened.page.waitForTimeout(200);
  return opened.page.locator("body").innerText();
};
/** Both realms in one browser, as a person has them. */
const both = async (node) => {
  const opened = await openIn(browser, node, reality);
  await opened.context.addCookies([exercise.cookie]);
  return opened;
};

describe("an exercise beside reality", () => {
  test("every screen says that nothing is real, is hatched, and shows and asks nothing of reality", async () => {
    const opened = await both(played);
    const asked = [];
    opened.page.on("request", (request) => { if (request.url().startsWith("http")) asked.push(new URL(request.url()).pathname); });
    for (const path of SCREENS) {
      const text = await see(opened, path);
      assert.match(text, new RegExp(`EXERCISE EXERCISE EXERCISE – ${REALM} – nothing here is real`), path);
      assert.doesNotMatch(text, /in reality|\bREAL\b/, path);
      assert.match(await opened.page.title(), new RegExp(`^EXERCISE · .* ${REALM}$`), path);
      const hatched = await opened.page.locator(".unreal .page").evaluate((page) => getComputedStyle(page).backgroundImage);
      assert.match(hatched, /repeating-linear-gradient/, path);
    }
    assert.match(await see(opened, "/assistance"), /Hospital in the exercise/);
    assert.match(await see(opened, "/capacities"), /Team of the Hospital in the exercise/);
    assert.deepEqual(await violations(opened.page), []);
    assert.ok(asked.some((path) => path.endsWith("/api/v1/events")));
    assert.deepEqual(asked.filter((path) => !path.startsWith(`/ex/${REALM}/`)), []);
    assert.deepEqual(opened.complaints, []);
    await opened.close();
  });

  test("reality shows no strip and nothing of the exercise", async () => {
    const opened = await both(real);
    for (const path of SCREENS) {
      const text = await see(opened, path);
      assert.doesNotMatch(text, /EXERCISE|in the exercise|EX-BLUE/, path);
      assert.equal(await opened.page.locator(".exercise, .unreal").count(), 0, path);
      assert.doesNotMatch(await opened.page.title(), /EXERCISE/, path);
    }
    assert.match(await see(opened, "/assistance"), /Hospital in reality/);
    assert.deepEqual(opened.complaints, []);
    await opened.close();
  });

  test("what is typed in an exercise is no draft of reality", async () => {
    const opened = await both(played);
    await see(opened, "/ask");
    await opened.page.getByLabel("Whom to call").fill("somebody who plays");
    await opened.page.waitForTimeout(100);
    await opened.page.goto(`${real.url}/console/#/ask`);
    await opened.page.getByLabel("Whom to call").waitFor();
    assert.equal(await opened.page.getByLabel("Whom to call").inputValue(), "");
    await opened.page.goto(`${played.url}/console/#/ask`);
    await opened.page.getByLabel("Whom to call").waitFor();
    assert.equal(await opened.page.getByLabel("Whom to call").inputValue(), "somebody who plays");
    await opened.close();
  });
});

describe("palette and keys", () => {
  test("the palette finds screens, calls and commands by either key, by arrows and by mouse, and sends nothing", async () => {
    const opened = await both(played);
    const { page } = opened;
    const sent = [];
    page.on("request", (request) => { if (request.method() !== "GET") sent.push(request.url()); });
    await see(opened, "/");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("hospital");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Hospital in the exercise" }).waitFor();
    await page.keyboard.press("Meta+k");
    await page.keyboard.type("add a cap");
    await page.keyboard.press("Enter");
    await dialog(page).getByLabel("What you call it").waitFor();
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await button(page, "Search or run a command Ctrl K").click();
    const options = page.locator("#palette-found li");
    await page.keyboard.press("ArrowDown");
    assert.equal(await options.nth(1).getAttribute("aria-selected"), "true");
    await page.keyboard.type("nothing is called that");
    await page.getByText("Nothing is called that.").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("combobox", { name: "Search or run a command" }).fill("partners");
    await options.first().click();
    await page.getByRole("heading", { level: 1, name: "Partners" }).waitFor();
    assert.deepEqual(sent, []);
    await opened.close();
  });

  test("g and a letter goes to every screen of the list of keys", async () => {
    const opened = await both(played);
    const { page } = opened;
    await see(opened, "/");
    for (const [key, heading] of [["i", "Inbox"], ["a", "Assistance"], ["h", "Ask for help"], ["c", "Capacities"], ["r", "Nobody is on duty."], ["p", "Partners"], ["j", "Journal"]]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      if (key === "h") await page.evaluate(() => document.activeElement.blur());
    }
    await page.keyboard.press("k");
    assert.ok(await page.evaluate(() => document.activeElement.matches("[data-row]")));
    await page.getByLabel("The log of").focus();
    await page.keyboard.press("?");
    assert.equal(await dialog(page).count(), 0, "a key that is typed into a field is text");
    await opened.close();
  });
});
