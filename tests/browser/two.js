// Two nations whose nodes are partners, France and Estonia, and how a console of theirs is opened and looked at.

import assert from "node:assert/strict";
import { launch, LOOKS, openIn, sideways, violations } from "./looks.js";
import { Node, until } from "./nodes.js";

/** A call for help, due in three hours. */
export const ask = (name, more = {}) => ({
  name, call: "duty officer (invented)", by_when: new Date(Date.now() + 3 * 3_600_000).toISOString(),
  lines: [{ kind: "forensics", quantity: 2, mode: "remote" }], label: "green", ...more,
});
export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const dialog = (page) => page.getByRole("dialog");
/** A call for help that a nation has, by what it is called. */
export const called = (session, name) => until(name, async () => (await session.command("GET", "/assistance")).items.find((row) => row.name === name));
/** Words that a catalogue lacks show as `{their-name}`. */
const placeholders = async (page) => (await page.locator("body").innerText()).match(/\{[a-z0-9-]+\}/g) ?? [];

/** Makes two nodes partners, and lets the first say CLEAR and GREEN to everybody. */
export const befriend = async (french, estonian) => {
  const { code } = await french.command("POST", "/partners/invitations");
  await estonian.command("POST", "/partners/accept", { code });
  for (const session of [french, estonian]) {
    const { items: [partner] } = await session.command("GET", "/partners");
    await session.command("POST", `/partners/${encodeURIComponent(partner.origin)}/confirm`);
  }
  await french.command("POST", "/audiences", { name: "EU CSIRTs", kind: "community", members: ["*"] });
  await french.command("PUT", "/audiences/EU%20CSIRTs/tick", { ticked: true });
};

/** Whatever is said to partners while nothing on the screen says who will see it is a complaint. */
const previewed = ({ page, complaints }) => page.route(/\/api\/v1\/(assistance|mandates|capacities|acts)\b/, async (route) => {
  const asked = route.request();
  if (asked.method() !== "GET" && !(await page.locator(".who:visible").count()) && !LOCAL.test(asked.postData() ?? "")) complaints.push(`${asked.method()} ${asked.url()} without a preview`);
  await route.continue();
});
/** What stays in this node whatever becomes of it. */
const LOCAL = /^\{"stood_down":(true|false)\}$/;

export class Two {
  static async start() {
    const two = new Two();
    two.browser = await launch();
    [two.fr, two.ee] = await Promise.all([Node.start("FR"), Node.start("EE")]);
    [two.french, two.estonian] = await Promise.all([two.fr.session(), two.ee.session()]);
    await befriend(two.french, two.estonian);
    return two;
  }

  async stop() {
    await this.browser?.close();
    await Promise.all([this.fr?.stop(), this.ee?.stop()]);
  }

  /** Opens a screen of a node's console. */
  async sit(node, session, path = "/", options = {}) {
    const opened = await openIn(this.browser, node, session, options);
    await previewed(opened);
    await opened.go(`/console/#${path}`);
    await opened.page.locator("main h1").first().waitFor();
    return opened;
  }

  /** A call that Estonia has answered with yes; gives what it is called by then. */
  async offered(name, reply = {}) {
    await this.french.command("POST", "/assistance", ask(name));
    const row = await called(this.estonian, name);
    await this.estonian.command("POST", `/assistance/${row.entry}/reply`, { answer: "yes", call: "duty officer", ...reply });
    return until("the offer", async () => {
      const whole = await this.french.command("GET", `/assistance/${row.entry}`);
      return whole.answers.length === 1 && whole;
    });
  }

  /** A call of which the agreement is in force; gives the entry of its acceptance. */
  async agreed(name) {
    const whole = await this.offered(name);
    await this.french.command("POST", `/assistance/${whole.answers[0].entry}/accept`, {});
    const accepted = (session, state) => until(state, async () => (await session.command("GET", `/assistance/${whole.entry}`)).answers[0]?.agreements.find((one) => one.state === state));
    const { entry } = await accepted(this.estonian, "proposed");
    await this.estonian.command("POST", `/assistance/${entry}/step`, { step: "countersign" });
    await accepted(this.french, "in force");
    return { request: whole.entry, acceptance: entry };
  }

  /** Checks one screen in every look: in English in light and dark, wide and narrow; in other languages where there is least room. */
  async looksRight(node, session, path, { prepare, languages = ["en"] } = {}) {
    for (const locale of languages) {
      const looks = locale === "en" ? LOOKS : [{ colorScheme: "light", width: 390 }];
      for (const { colorScheme, width } of looks) {
        const { page, complaints, close } = await this.sit(node, session, path, { colorScheme, locale, viewport: { width, height: 900 } });
        const where = `${path} ${locale} ${colorScheme} ${width}`;
        await page.waitForTimeout(250);
        if (prepare) await prepare(page);
        assert.equal(await page.locator("html").getAttribute("lang"), locale, where);
        assert.deepEqual(await violations(page), [], where);
        assert.ok((await sideways(page)) <= 0, `${where} scrolls sideways by ${await sideways(page)} px`);
        assert.deepEqual(await placeholders(page), [], where);
        assert.deepEqual(complaints, [], where);
        assert.match(await page.locator(".exercise").innerText(), /EXERCISE EXERCISE EXERCISE – EX-BROWSER/, where);
        assert.match(await page.title(), /^EXERCISE · /, where);
        await close();
      }
    }
  }
}
