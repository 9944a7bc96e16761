// Two persons commit the nation, in the console: what needs a second one waits where that person looks, with every field that it
// would say, and is said in both names.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "./nodes.js";
import { ask, button, called, dialog, Two } from "./two.js";

let two, fr, ee, french, estonian, first, second;

before(async () => {
  two = await Two.start();
  ({ fr, ee, french, estonian } = two);
  const account = async (login, name, roles) => ee.as({ login, ...await estonian.command("POST", "/users", { login, name, desk: "csirt", roles }) }).session();
  first = await account("bo", "Bo Tamm", ["duty-officer"]);
  second = await account("cleo", "Cleo Kask", ["crisis-officer"]);
  await second.command("PUT", "/two-persons", { acts: ["offer", "ask"] });
});
after(() => two?.stop());

const gone = (page) => dialog(page).waitFor({ state: "detached" });
const offer = async (name) => {
  await french.command("POST", "/assistance", ask(name));
  const row = await called(estonian, name);
  const seat = await two.sit(ee, first, `/assistance/${row.entry}`);
  await button(seat.page, "Yes, we help").click();
  await dialog(seat.page).getByLabel("Whom to call").fill("duty officer");
  await button(seat.page, "Send the offer").click();
  await dialog(seat.page).getByText(/it waits for a second person/).waitFor();
  await button(dialog(seat.page), "Back").click();
  await seat.page.getByRole("link", { name: "Second signature" }).click();
  await seat.page.getByRole("heading", { level: 1, name: "Second signature" }).waitFor();
  return { row, seat };
};
const answers = async (name) => (await french.command("GET", `/assistance/${(await called(french, name)).entry}`)).answers;

describe("a second person", () => {
  test("an offer waits, is read field by field, and is said in both names", async () => {
    const { seat } = await offer("Two sign");
    await seat.page.getByText("Two persons sign here: call for help, offer.").waitFor();
    assert.equal(await button(seat.page, "Approve").count(), 0, "whoever began it is not the second");
    await button(seat.page, "Take it back").waitFor();
    assert.deepEqual(await answers("Two sign"), []);

    const other = await two.sit(ee, second, "/inbox");
    await other.page.getByText("Bo Tamm asks for your signature: offer").click();
    assert.match(await other.page.locator(".says").innerText(), /answer\s+yes[\s\S]*call\s+duty officer/);
    await button(other.page, "Approve").click();
    await dialog(other.page).getByText("1 nation will see it").waitFor();
    assert.match(await dialog(other.page).innerText(), /France[\s\S]*Nobody else/);
    await button(dialog(other.page), "Approve").click();
    await gone(other.page);
    await other.page.getByText("Nothing waits for a second person.").waitFor();
    await until("the offer", async () => (await answers("Two sign")).length === 1);
    const asks = await two.sit(fr, french, `/assistance/${(await called(french, "Two sign")).entry}`);
    await asks.page.locator(".timeline").getByText(/offered help · signed by .*Tamm.*Kask|offered help · signed by .*Kask.*Tamm/).waitFor();
    for (const { complaints, close } of [seat, other, asks]) { assert.deepEqual(complaints, []); await close(); }
  });

  test("what is declined is not said, with its reason", async () => {
    const { seat } = await offer("Declined");
    const other = await two.sit(ee, second, "/acts");
    await button(other.page, "Decline").click();
    await dialog(other.page).getByText("Nothing leaves this node.").waitFor();
    await dialog(other.page).getByLabel("Why").fill("the team sleeps");
    await button(dialog(other.page), "Decline").click();
    await gone(other.page);
    await seat.page.getByText("Nothing waits for a second person.").waitFor();
    assert.deepEqual(await answers("Declined"), []);
    for (const { close } of [seat, other]) await close();
  });

  test("a call for help shows its second signer the whole audience", async () => {
    await estonian.command("POST", "/audiences", { name: "Friends", kind: "community", members: ["*"] });
    await first.command("POST", "/assistance", ask("Asked by two", { audience: "Friends" }));
    const other = await two.sit(ee, second, "/acts");
    await button(other.page, "Approve").click();
    await dialog(other.page).getByText("1 nation will see it").waitFor();
    await button(dialog(other.page), "Approve").click();
    await gone(other.page);
    await called(french, "Asked by two");
    assert.deepEqual(other.complaints, []);
    await other.close();
  });

  test("one person signs alone in an emergency with a reason, and another ratifies", async () => {
    const { seat } = await offer("Emergency");
    await button(seat.page, "Sign alone in an emergency").click();
    await dialog(seat.page).getByLabel("Why").fill("patients at risk");
    await dialog(seat.page).getByText("1 nation will see it").waitFor();
    await button(dialog(seat.page), "Sign alone in an emergency").click();
    await gone(seat.page);
    await until("the offer", async () => (await answers("Emergency")).length === 1);
    const other = await two.sit(ee, second, "/acts");
    await other.page.getByText(/signed alone: patients at risk/).waitFor();
    await button(other.page, "Ratify").click();
    await button(dialog(other.page), "Ratify").click();
    await gone(other.page);
    await other.page.getByText("Nothing waits for a second person.").waitFor();
    for (const { complaints, close } of [seat, other]) { assert.deepEqual(complaints, []); await close(); }
  });
});

describe("hand over", () => {
  test("whoever gave it stays on duty until another has ticked every item", async () => {
    const { seat } = await offer("Handed over");
    await seat.page.goto(`${ee.url}/console/#/roster?do=give`);
    await dialog(seat.page).getByLabel("What is to be done next").first().waitFor();
    await dialog(seat.page).getByLabel("What was promised by telephone").first().fill("Bo calls Paris at 06:00Z");
    await dialog(seat.page).getByLabel("What was done, and what else is to be known").fill("quiet until two");
    await button(dialog(seat.page), "Hand over").click();
    await gone(seat.page);
    await seat.page.getByText("Bo Tamm stays on duty until somebody else has taken over.").waitFor();
    const other = await two.sit(ee, second, "/inbox");
    await other.page.getByText("Bo Tamm hands over: go through it, and take over").click();
    await other.page.getByText("promised: Bo calls Paris at 06:00Z").waitFor();
    assert.ok(await button(other.page, "Take over").isDisabled());
    const boxes = other.page.locator(".items input");
    for (let at = 0; at < await boxes.count(); at += 1) await boxes.nth(at).check();
    await button(other.page, "Take over").click();
    await other.page.getByText("taken by Cleo Kask").waitFor();
    await seat.page.getByText("taken by Cleo Kask").waitFor();
    for (const { complaints, close } of [seat, other]) { assert.deepEqual(complaints, []); await close(); }
  });
});

describe("every screen looks right", () => {
  const both = { languages: ["en", "fr"] };
  before(() => offer("Looked at").then(({ seat }) => seat.close()));
  before(() => second.command("POST", "/authorities", { login: "bo", acts: ["mission"], kinds: ["forensics"], quantity: 4, until: new Date(Date.now() + 86_400_000).toISOString(), reason: "nights" }));
  test("second signatures", () => two.looksRight(ee, second, "/acts", { ...both, prepare: (page) => page.locator(".says div").first().waitFor() }));
  test("a decision", () => two.looksRight(ee, second, "/acts", { prepare: async (page) => {
    await page.locator(".buttons .primary").first().click();
    await page.locator("dialog .who").waitFor();
  } }));
  test("a handover before it is given, and on duty with one", () => two.looksRight(ee, first, "/roster?do=give", { ...both, prepare: (page) => page.locator("dialog .item").first().waitFor() }));
  test("the inbox with an act", () => two.looksRight(ee, second, "/inbox", both));
});
