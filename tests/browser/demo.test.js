// A newcomer at the demonstration: from the page of seats a nation asks for help, another offers, the first accepts, the second
// signs and begins its mission; nobody types a password, and each screen says what comes next.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, LOOKS, sideways, violations } from "./looks.js";
import { binary } from "./nodes.js";
import { button, dialog } from "./two.js";

/** How long a debug build may take to start five nodes and play the story on a loaded machine. */
const PATIENCE = 240_000;
let browser, played, seats, dir;

before(async () => {
  browser = await launch();
  dir = await mkdtemp(join(tmpdir(), "entraide-demo-"));
  played = spawn(binary, ["demo", "--nations", "FR,EE,DE,MT"], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TMPDIR: dir } });
  let said = "";
  seats = await new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`no seats after ${PATIENCE} ms: ${said.slice(-2_000)}`)), PATIENCE);
    const hear = (text) => {
      said += text;
      const found = /Take a seat[\s\S]*?(http:\/\/127\.0\.0\.1:\d+\/)/.exec(said);
      if (found) { clearTimeout(late); done(found[1]); }
    };
    played.stdout.on("data", hear);
    played.stderr.on("data", hear);
    played.once("exit", (code) => { clearTimeout(late); failed(new Error(`the demonstration ended with ${code}: ${said.slice(-2_000)}`)); });
  });
});

after(async () => {
  await browser?.close();
  if (played && played.exitCode === null) {
    const ended = new Promise((done) => played.once("exit", done));
    played.kill("SIGINT");
    await ended;
  }
  if (dir) await rm(dir, { recursive: true, force: true });
});

describe("the demonstration", () => {
  test("a newcomer asks, changes seats, offers, goes back, accepts, and sees the mission begin", async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(message.text()); });
    const gone = () => dialog(page).waitFor({ state: "detached" });
    const sit = async (nation) => {
      await page.getByRole("link", { name: new RegExp(`^${nation} `) }).first().click();
      await page.locator("main h1").first().waitFor();
    };
    const change = () => page.getByRole("link", { name: "Change seats", exact: true }).click();

    await page.goto(seats);
    await sit("FR");
    await page.getByRole("link", { name: "Ask for help" }).click();
    await page.getByLabel("Whom to call").fill("Duty officer, +33 1 00 00 00 00");
    await button(page, "Who will see it?").click();
    await dialog(page).getByText(/nations will see it/).waitFor();
    await dialog(page).getByLabel(/I have read who will see it/).check();
    await button(page, "Send the call for help").click();
    await page.getByRole("heading", { level: 1, name: "2 × forensics, remote" }).waitFor();
    // Nothing is ours to do now, and the screen says where it goes on.
    await page.getByRole("link", { name: "Take their seat to go on." }).click();

    await sit("EE");
    await page.getByText(/you can fill 1 of them/).waitFor();
    await page.getByRole("link", { name: /^Offer help for FR-/ }).first().click();
    await dialog(page).getByText(/from 2 × /).waitFor();
    await dialog(page).getByLabel("Whom to call").fill("Duty officer, +372 000 0000");
    await button(page, "Send the offer").click();
    await gone();
    await change();

    await sit("FR");
    await page.getByRole("link", { name: "Inbox" }).click();
    await page.getByText("Estonia offers help: choose").click();
    await button(page, "Accept Estonia’s offer").click();
    await button(page, "Accept").click();
    await gone();
    await change();

    await sit("EE");
    await page.getByRole("link", { name: "Inbox" }).click();
    await page.getByText("France has accepted: sign").click();
    await button(page, "Sign: it is in force").click();
    await button(page, "Sign").click();
    await gone();
    await button(page, "Begin the mission").click();
    await dialog(page).getByLabel("Who leads it").fill("Team leader (invented)");
    await button(page, "Send the news").click();
    await gone();
    const address = new URL(page.url()).hash;
    await change();

    await sit("FR");
    await page.goto(page.url().replace(/#.*$|$/, address));
    await page.locator(".phases [aria-current=step]").getByText("on task").waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test("the page of seats looks right", async () => {
    for (const { colorScheme, width } of LOOKS) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      await page.goto(seats);
      assert.deepEqual(await violations(page), [], `${colorScheme} ${width}`);
      assert.ok((await sideways(page)) <= 0, `${colorScheme} ${width}`);
      await context.close();
    }
  });
});
