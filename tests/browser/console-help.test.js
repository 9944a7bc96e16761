// The console's other screens over two real nodes: what we can lend, the case room, who is on duty; each by its own hand.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, test } from "node:test";
import { ask, button, called, dialog, Two } from "./two.js";

let two, fr, ee, french, estonian;

before(async () => {
  two = await Two.start();
  ({ fr, ee, french, estonian } = two);
});
after(() => two?.stop());

const gone = (page) => dialog(page).waitFor({ state: "detached" });
const both = { languages: ["en", "fr"] };

describe("capacities", () => {
  test("a capacity is kept, fills a call, is offered in one tap, and never twice", async () => {
    const { page, complaints, close } = await two.sit(ee, estonian, "/capacities");
    await button(page, "Add a capacity").click();
    await dialog(page).getByLabel("What you call it").fill("Night team");
    await dialog(page).getByLabel("How many").fill("3");
    await dialog(page).getByLabel("Whom to call").fill("Duty officer, +372 000 0000");
    await dialog(page).getByLabel("Hours until somebody acts from afar").fill("1");
    await button(page, "Add a time").click();
    assert.match(await dialog(page).innerText(), /Nobody else can open it/);
    await button(page, "Keep it").click();
    await gone(page);
    await page.getByRole("heading", { level: 1, name: "Night team" }).waitFor();
    await page.getByText("3 of 3 free now").waitFor();

    await french.command("POST", "/assistance", ask("Filled"));
    await page.getByRole("link", { name: "Situation" }).click();
    await page.getByText("you can fill 1 of them").waitFor();
    await page.getByRole("link", { name: /^Offer help for FR-/ }).click();
    await dialog(page).getByText("from 2 × Night team").waitFor();
    assert.match(await dialog(page).innerText(), /1 nation will see it[\s\S]*France[\s\S]*Nobody else/);
    await button(page, "Send the offer").click();
    await gone(page);
    await page.getByRole("link", { name: "Capacities" }).click();
    await page.getByRole("cell", { name: "1 / 3" }).waitFor();
    await page.getByRole("cell", { name: "2 reserved" }).waitFor();
    await page.getByRole("link", { name: "Night team" }).click();
    await page.getByText(/2 × reserved FR-/).waitFor();

    // Another call wants two, and one is left: the node says so, with its reason.
    await french.command("POST", "/assistance", ask("Half filled"));
    const row = await called(estonian, "Half filled");
    await page.goto(`${ee.url}/console/#/assistance/${row.entry}`);
    await page.getByRole("heading", { name: "You can fill 1 of 2" }).waitFor();
    assert.match(await page.locator(".fill .gap").innerText(), /Open: 1 × forensics/);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("less than is promised is refused in the node's words, and what was typed stays", async () => {
    const { items: [night] } = await estonian.command("GET", "/capacities");
    const { page, close } = await two.sit(ee, estonian, `/capacities/${night.entry}`);
    await button(page, "Change the capacity").click();
    await dialog(page).getByLabel("How many").fill("1");
    await button(page, "Keep it").click();
    await dialog(page).getByRole("alert").waitFor();
    assert.equal(await dialog(page).getByLabel("How many").inputValue(), "1");
    await dialog(page).getByLabel("How many").fill("4");
    await button(page, "Keep it").click();
    await gone(page);
    await page.getByText("2 of 4 free now").waitFor();
    await button(page, "Stand down").click();
    await button(dialog(page), "Stand down").click();
    await gone(page);
    await page.getByText("stood down", { exact: true }).first().waitFor();
    await button(page, "Make it available again").click();
    await button(dialog(page), "Make it available again").click();
    await gone(page);
    await page.getByText("2 of 4 free now").waitFor();
    await close();
  });

  test("two windows that offer the last of a capacity at once promise it once", async () => {
    await estonian.command("POST", "/capacities", { name: "The only one", kind: "recovery", quantity: 1, call: "duty officer", ready_hours: 0, mode: "remote" });
    const windows = [];
    // The second call is the more urgent one, so that our node proposes the same capacity for it too: nothing is promised yet.
    for (const [name, more] of [["Wants it", {}], ["Wants it more", { life_at_risk: true }]]) {
      await french.command("POST", "/assistance", ask(name, { lines: [{ kind: "recovery", quantity: 1, mode: "remote" }], ...more }));
      const opened = await two.sit(ee, estonian, `/assistance/${(await called(estonian, name)).entry}`);
      await button(opened.page, "Offer this").click();
      await dialog(opened.page).getByText("from 1 × The only one").waitFor();
      await dialog(opened.page).getByLabel("Whom to call").fill("duty officer");
      windows.push(opened);
    }
    const ready = windows.map((one) => one.page);
    await Promise.all(ready.map((page) => button(page, "Send the offer").evaluate((one) => { one.click(); one.click(); })));
    const said = await Promise.all(ready.map(async (page) => {
      await page.waitForFunction(() => !document.querySelector("dialog") || document.querySelector("dialog [role=alert]"));
      return await dialog(page).count() ? dialog(page).getByRole("alert").innerText() : "";
    }));
    assert.equal(said.filter((text) => text === "").length, 1, said.join(" / "));
    assert.match(said.join(""), /The only one/);
    const { items } = await estonian.command("GET", "/capacities");
    const only = items.find((one) => one.name === "The only one");
    assert.deepEqual([only.free, only.reserved], [0, 1]);
    for (const { close } of windows) await close();
  });

  test("a card is published after it was read who will see it, and is then no secret", async () => {
    await estonian.command("POST", "/audiences", { name: "Friends", kind: "community", members: ["*"] });
    const { items } = await estonian.command("GET", "/capacities");
    const { page, close } = await two.sit(ee, estonian, `/capacities/${items.find((one) => one.name === "Night team").entry}`);
    await button(page, "Publish a card").click();
    await dialog(page).getByText("1 nation will see it").waitFor();
    assert.ok(await button(page, "Publish").isDisabled());
    await dialog(page).getByLabel(/I have read who will see it/).check();
    await button(page, "Publish").click();
    await gone(page);
    await close();
    const seat = await two.sit(fr, french, "/capacities");
    await seat.page.getByRole("heading", { name: "What partners have published" }).waitFor();
    assert.match(await seat.page.locator("main").innerText(), /Estonia: forensics, (small|medium)/);
    await seat.close();
  });
});

describe("the case room", () => {
  test("two parties write to each other, and a disk has its chain of custody until it is destroyed", async () => {
    const { request } = await two.agreed("Room");
    const seat = { fr: await two.sit(fr, french, `/assistance/${request}`), ee: await two.sit(ee, estonian, `/assistance/${request}`) };
    const [asks, helps] = [seat.fr.page, seat.ee.page];
    await asks.getByLabel("Write to them").fill("The gateway is up again <b>now</b>");
    assert.match(await asks.locator(".reply").innerText(), /1 nation will see it[\s\S]*Estonia[\s\S]*Nobody else/);
    await button(asks, "Send to Estonia").click();
    await asks.getByText("Sent.").waitFor();
    await helps.getByText("The gateway is up again <b>now</b>").waitFor();
    await helps.getByLabel("Write to them").fill("Thank you, we look");
    await button(helps, "Send to France").click();
    await asks.getByText("Thank you, we look").waitFor();

    await button(asks, "Hand a disk to a courier").click();
    await dialog(asks).getByLabel("What it is, in one line").fill("Mail server");
    await dialog(asks).getByLabel("Numbers of the seals").fill("A-118 A-119");
    await dialog(asks).getByLabel("Courier").fill("courier 7");
    await dialog(asks).getByLabel("Goes to").fill("M. Tamm");
    await dialog(asks).getByText("1 nation will see it").waitFor();
    await button(asks, "Say that it was handed over").click();
    await gone(asks);
    await asks.locator(".evidence").getByText("on its way").waitFor();

    await button(helps, "Say that it came").click();
    await dialog(helps).getByLabel("Numbers on the seals, as it came").fill("A-118 A-999");
    await dialog(helps).getByLabel("The seals were whole").check();
    await button(dialog(helps), "Say that it came").click();
    await gone(helps);
    // Other numbers than those with which it left show at both parties.
    await asks.locator(".chain").getByText("seals not as they left").waitFor();
    await button(helps, "Say that it was destroyed").click();
    await dialog(helps).getByLabel("How", { exact: true }).fill("shredded");
    await button(dialog(helps), "Say that it was destroyed").click();
    await gone(helps);
    await asks.locator(".evidence .tag").getByText("destroyed").waitFor();
    assert.match(await asks.locator(".chain").innerText(), /received[\s\S]*destroyed[\s\S]*shredded/);
    for (const { complaints, close } of Object.values(seat)) { assert.deepEqual(complaints, []); await close(); }
  });

  test("what is written and not sent outlives the page", async () => {
    const { entry } = await called(french, "Room");
    const { page, close } = await two.sit(fr, french, `/assistance/${entry}`);
    await page.getByLabel("Write to them").fill("not sent yet");
    await page.waitForTimeout(100);
    await page.reload();
    await page.getByLabel("Write to them").waitFor();
    assert.equal(await page.getByLabel("Write to them").inputValue(), "not sent yet");
    await page.getByLabel("Write to them").fill("");
    await close();
  });
});

describe("mandates", () => {
  const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl helper";

  test("what helpers may touch is consented to, activated with those who are named, and revoked by one button", async () => {
    const { request } = await two.agreed("Mandate");
    const seat = { fr: await two.sit(fr, french, `/assistance/${request}`), ee: await two.sit(ee, estonian, `/assistance/${request}`) };
    const [asks, helps] = [seat.fr.page, seat.ee.page];
    const step = async (page, name, fill = async () => undefined) => {
      await button(page, name).click();
      await fill(dialog(page));
      await button(dialog(page), name).click();
      await gone(page);
    };
    await button(asks, "Draft a mandate").click();
    await dialog(asks).getByText("A machine of the entity lets nobody in beyond it.").waitFor();
    await dialog(asks).getByLabel("Whose systems").fill("hospital group, by its sector");
    await dialog(asks).getByLabel("Which systems").fill("mail-1 dc-2");
    await dialog(asks).getByLabel("Who comes, by role").fill("two analysts");
    await dialog(asks).getByLabel("Who may take it back: names and numbers").fill("IT of the entity, +33");
    await button(asks, "Send the draft").click();
    await gone(asks);
    await asks.locator(".mandates").getByText("The entity has not consented yet.").waitFor();
    await step(asks, "Record the entity’s consent", (window) => window.getByLabel("Who has consented, for the entity").fill("A. Director"));
    await asks.getByText(/Consent of A\. Director, recorded/).waitFor();

    await step(helps, "Name our helpers", async (window) => {
      await window.getByLabel("Role").fill("analyst 1");
      await window.getByLabel("SSH public key").fill(KEY);
    });
    await asks.locator(".mandates").getByText("Named since, not activated: analyst 1").waitFor();
    await step(asks, "Activate");
    await helps.locator(".mandates .tag").getByText("stands", { exact: true }).waitFor();
    assert.match(await helps.locator(".mandates").innerText(), /enforced[\s\S]*May come: analyst 1/);
    await button(asks, "New token for the gate").click();
    await button(dialog(asks), "New token for the gate").click();
    await dialog(asks).getByText("Shown once").waitFor();
    assert.match(await dialog(asks).locator(".words").innerText(), /^\S{20,}$/);
    await button(asks, "Close").click();
    await step(asks, "Revoke");
    await helps.locator(".mandates .tag").getByText("revoked", { exact: true }).waitFor();
    for (const { complaints, close } of Object.values(seat)) { assert.deepEqual(complaints, []); await close(); }
  });

  test("where no machine holds it, it says so, and what the entity opened is written down", async () => {
    const { request } = await two.agreed("Recorded");
    const { page, complaints, close } = await two.sit(fr, french, `/assistance/${request}`);
    await button(page, "Draft a mandate").click();
    await dialog(page).getByLabel("By which way").selectOption("vpn-rdp");
    await dialog(page).getByText(/No machine holds it/).waitFor();
    await dialog(page).getByLabel("Whose systems").fill("hospital group");
    await dialog(page).getByLabel("Which systems").fill("mail-1");
    await dialog(page).getByLabel("Who comes, by role").fill("one analyst");
    await dialog(page).getByLabel("Who may take it back: names and numbers").fill("IT, +33");
    await button(page, "Send the draft").click();
    await gone(page);
    await button(page, "Record the entity’s consent").click();
    await dialog(page).getByLabel("Who has consented, for the entity").fill("A. Director");
    await button(dialog(page), "Record the entity’s consent").click();
    await gone(page);
    await button(page, "Activate").click();
    await button(dialog(page), "Activate").click();
    await gone(page);
    await page.locator(".mandates .tag").getByText("recorded", { exact: true }).waitFor();
    await button(page, "The entity has opened it").click();
    await button(dialog(page), "The entity has opened it").click();
    await gone(page);
    await page.locator(".mandates").getByText(/opened \d/).waitFor();
    await button(page, "The entity has closed it").waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });
});

describe("missions", () => {
  test("a mission is begun, reported with hours and cost, closed, and the agreement ended", async () => {
    const { request } = await two.agreed("Mission");
    const { page, complaints, close } = await two.sit(ee, estonian, `/assistance/${request}`);
    await button(page, "Begin the mission").click();
    await dialog(page).getByLabel("Who leads it").fill("M. Tamm, +372");
    await button(page, "Send the news").click();
    await gone(page);
    await page.locator(".phases [aria-current=step]").getByText("on task").waitFor();
    for (const [phase, more] of [["handover", {}], ["reporting", { "Hours worked so far": "37", "Cost so far, €": "1200.50" }], ["closed", { "What was done": "Three servers read, two cleaned." }]]) {
      await button(page, "Say how the mission goes").click();
      await dialog(page).getByLabel("Where it stands").selectOption(phase);
      for (const [label, text] of Object.entries(more)) await dialog(page).getByLabel(label).fill(text);
      await dialog(page).getByText("1 nation will see it").waitFor();
      await button(page, "Send the news").click();
      await gone(page);
    }
    await page.locator(".agreed").getByText("Three servers read, two cleaned.").waitFor();
    assert.match(await page.locator(".agreed").innerText(), /37 h worked · 1200\.50 €[\s\S]*Three servers read/);
    await button(page, "End the agreement").click();
    await button(page, "End it").click();
    await gone(page);
    const seat = await two.sit(fr, french, `/assistance/${request}`);
    await seat.page.locator(".agreed .tag").getByText("ended", { exact: true }).waitFor();
    await seat.page.getByText("2 done").waitFor();
    assert.deepEqual(complaints, []);
    await seat.close();
    await close();
  });
});

describe("partners without a node", () => {
  test("one is kept, gets nothing before it was called, and is confirmed by whoever called", async () => {
    const { page, complaints, close } = await two.sit(fr, french, "/partners");
    await button(page, "Add a partner without a node").click();
    await dialog(page).getByLabel("Country", { exact: true }).fill("md");
    await dialog(page).getByLabel("Its name").fill("CERT-MD (invented)");
    await dialog(page).getByLabel("Reach", { exact: true }).selectOption("phone");
    await dialog(page).getByLabel("Telephone, reached at any hour").fill("+373 22 123456");
    await button(page, "Keep it").click();
    await gone(page);
    await page.getByRole("row", { name: /CERT-MD/ }).getByText("words to compare").waitFor();
    await button(page, "Confirm: Moldova").click();
    await dialog(page).getByText(/Call \+373 22 123456, a number that you know/).waitFor();
    assert.ok(await button(dialog(page), "Confirm").isDisabled());
    await dialog(page).getByLabel("We have called them").check();
    await button(dialog(page), "Confirm").click();
    await gone(page);
    await page.getByRole("row", { name: /CERT-MD/ }).getByText("active", { exact: true }).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test("the fingerprint that is compared is the one of the key that was given", { skip: !existsSync("/usr/bin/gpg") && "gpg is missing" }, async () => {
    const home = await mkdtemp(join(tmpdir(), "entraide-gpg-"));
    const gpg = async (...args) => (await promisify(execFile)("gpg", ["--homedir", home, "--batch", "--quiet", ...args])).stdout;
    await gpg("--passphrase", "", "--quick-gen-key", "CERT-GE (invented) <cert@cert.example>", "default", "default", "never");
    const armoured = await gpg("--armor", "--export", "cert@cert.example");
    const [, fingerprint] = /^fpr:+([0-9A-F]{40}):/m.exec(await gpg("--with-colons", "--fingerprint", "cert@cert.example"));
    await promisify(execFile)("gpgconf", ["--homedir", home, "--kill", "all"]).catch(() => undefined);
    await rm(home, { recursive: true, force: true });
    const { page, complaints, close } = await two.sit(fr, french, "/partners?do=reached");
    for (const [label, text] of [["Country", "ge"], ["Its name", "CERT-GE (invented)"], ["Telephone, reached at any hour", "+995 32 123456"], ["Mail address", "cert@cert.example"], ["PGP public key, or S/MIME certificate", armoured]]) await dialog(page).getByLabel(label, { exact: true }).fill(text);
    await button(page, "Keep it").click();
    await gone(page);
    await button(page, "Confirm: Georgia").click();
    await dialog(page).locator(".words").waitFor();
    assert.equal((await dialog(page).locator(".words").innerText()).replaceAll(" ", "").toUpperCase(), fingerprint);
    assert.ok(await button(dialog(page), "Confirm").isDisabled());
    assert.deepEqual(complaints, []);
    await close();
  });
});

describe("on duty", () => {
  const CSV = () => {
    const at = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 19) + "Z";
    return `person,post,from,until\nanna,duty,${at(-1)},${at(7)}\nben,duty,${at(7)},${at(15)}\n`;
  };

  test("a file is looked at first; then it says who is on duty now and who is next", async () => {
    for (const [person, name] of [["anna", "Anna Test"], ["ben", "Ben Test"]]) await french.command("PUT", `/roster/persons/${person}`, { person, name, telephone: "+33 1 23 45 67 89", login: person === "anna" ? "admin" : undefined });
    const { page, complaints, close } = await two.sit(fr, french, "/roster");
    await page.getByRole("heading", { level: 1, name: "Nobody is on duty." }).waitFor();
    await button(page, "Take in a file").click();
    await dialog(page).getByLabel("File (CSV or iCalendar)").setInputFiles({ name: "shifts.csv", mimeType: "text/csv", buffer: Buffer.from(CSV()) });
    await button(page, "What would it do?").click();
    await dialog(page).getByText("2 shifts more, 0 fewer").waitFor();
    assert.equal((await french.command("GET", "/roster")).shifts.length, 0);
    await button(page, "Do it").click();
    await gone(page);
    await page.getByRole("heading", { level: 1, name: "On duty: Anna Test" }).waitFor();
    await page.locator(".bar .on-duty").getByText("Anna Test").waitFor();
    await page.getByRole("cell", { name: /^Ben Test/ }).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test("a drill is asked for twice, waits in the inbox, and whoever is awake says so", async () => {
    await french.command("PUT", "/ladders/call-for-help", { rungs: [{ who: "post:duty", by: ["webhook"], minutes: 5 }, { who: "ben", by: ["mail"], minutes: 10 }] });
    const { page, complaints, close } = await two.sit(fr, french, "/roster");
    await page.locator(".rungs").getByText("next after 5 minutes").waitFor();
    await button(page, "Drill").click();
    await button(page, "Wake them for a drill").click();
    await gone(page);
    await page.getByRole("link", { name: "Inbox" }).click();
    await page.getByText("Wake up: a partner asks for help").click();
    await button(page, "I am awake").click();
    await page.getByText(/somebody is awake/).first().waitFor();
    const { items: [alert] } = await french.command("GET", "/alerts");
    assert.deepEqual([alert.class, alert.state, alert.tries], ["drill", "acknowledged", "call-for-help"]);
    assert.deepEqual(complaints, []);
    await close();
  });
});

describe("every screen looks right", () => {
  test("capacities", () => two.looksRight(ee, estonian, "/capacities", both));
  test("capacities of partners", () => two.looksRight(fr, french, "/capacities"));
  test("one capacity", async () => {
    const { items } = await estonian.command("GET", "/capacities");
    await two.looksRight(ee, estonian, `/capacities/${items.find((one) => one.name === "Night team").entry}`, both);
  });
  test("a new capacity", () => two.looksRight(ee, estonian, "/capacities?do=add", { ...both, prepare: async (page) => {
    await page.locator("dialog fieldset button.text").click();
    await page.locator("dialog summary").click();
  } }));
  test("what we can fill", async () => two.looksRight(ee, estonian, `/assistance/${(await called(estonian, "Half filled")).entry}`, { ...both, prepare: (page) => page.locator(".fill li").first().waitFor() }));
  test("the case room, with evidence", async () => two.looksRight(ee, estonian, `/assistance/${(await called(estonian, "Room")).entry}`, { ...both, prepare: (page) => page.locator(".chain li").first().waitFor() }));
  test("a mandate and its draft", async () => two.looksRight(fr, french, `/assistance/${(await called(french, "Recorded")).entry}`, { ...both, prepare: async (page) => {
    await page.locator(".mandates li").first().waitFor();
    await page.locator(".mandates .aside").click();
    await page.locator("dialog .who").waitFor();
  } }));
  test("a disk before it is handed over", async () => two.looksRight(fr, french, `/assistance/${(await called(french, "Room")).entry}`, { prepare: async (page) => {
    await page.locator(".evidence header button").click();
    await page.locator("dialog .who").waitFor();
  } }));
  test("the roster with ladders and alerts", () => two.looksRight(fr, french, "/roster", { ...both, prepare: (page) => page.locator(".rungs li").first().waitFor() }));
  test("a partner without a node", () => two.looksRight(fr, french, "/partners?do=reached", both));
  test("a roster's file", () => two.looksRight(fr, french, "/roster?do=file", both));
  test("a drill", () => two.looksRight(fr, french, "/roster?do=drill"));
  test("the inbox with an alert", async () => {
    await french.command("POST", "/drills", { class: "call-for-help" });
    await two.looksRight(fr, french, "/inbox", both);
  });
});
