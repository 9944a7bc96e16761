// The one way to the node: its public REST API. Problems (RFC 9457) come as errors with the node's own words.

import type { components } from "./schema";

type Schemas = components["schemas"];
export type Session = Schemas["Session"];
export type Status = Schemas["Status"];
export type Partner = Schemas["Partner"];
export type CaseRow = Schemas["CaseRow"];
export type Case = Schemas["Case"];
export type NeedRow = Schemas["NeedRow"];
export type OfferRow = Schemas["OfferRow"];
export type AgreementRow = Schemas["AgreementRow"];
export type MandateRow = Schemas["MandateRow"];
export type ReachedPartner = Schemas["ReachedPartner"];
export type ActOf = Schemas["ActOf"];
export type AuthorityOf = Schemas["AuthorityOf"];
export type TwoPersons = Schemas["TwoPersons"];
export type HandoverOf = Schemas["HandoverOf"];
export type ItemOf = Schemas["ItemOf"];
export type SaidRow = Schemas["SaidRow"];
export type NextStep = Schemas["NextStep"];
export type Sheet = Schemas["Sheet"];
export type Audience = Schemas["Audience"];
export type LogPage = Schemas["LogPage"];
export type ProofWords = Schemas["ProofWords"];
export type ForYou = Schemas["ForYou"];
export type Recovery = Schemas["Recovery"];
export type Said = Schemas["Said"];
export type Matches = Schemas["Matches"];
export type PairingRow = Schemas["PairingRow"];
export type CapacityRow = Schemas["CapacityRow"];
export type Capacity = Schemas["Capacity"];
export type NewCapacity = Schemas["NewCapacity"];
export type CardRow = Schemas["CardRow"];
export type NoteRow = Schemas["NoteRow"];
export type EvidenceRow = Schemas["EvidenceRow"];
export type Duty = Schemas["Duty"];
export type Roster = Schemas["Roster"];
export type FilePlan = Schemas["FilePlan"];
export type AlertOf = Schemas["AlertOf"];
export type LadderOf = Schemas["LadderOf"];
export interface PageOf<T> { items: T[]; next?: string | null }

/** Below which path this realm is served: nothing, or `/ex/EX-…`. */
export const base = location.pathname.replace(/\/console\/.*$/, "");
const api = `${base}/api/v1`;

/** The longest that an answer is waited for, milliseconds: a node at the end of a poor line. */
const PATIENCE = 30_000;

export class Problem extends Error {
  constructor(readonly status: number, readonly title: string, readonly detail: string) { super(detail || title); }
}

let who: { csrf: string | null; login: string; origin: string } = { csrf: null, login: "", origin: "" };
/** Notes who is logged in: what changes something repeats the session's value. */
export const known = (session: Session, origin: string) => { who = { csrf: session.csrf ?? null, login: session.login, origin }; };
/** Of whom something is kept in this browser. */
export const scope = () => `${who.origin}.${who.login}`;

/** Leads to the login, and back to this screen. */
export const logIn = () => location.assign(`${base}/login?to=${encodeURIComponent(`/console/${location.hash}`)}`);

const answered = async <T>(asked: Promise<Response>): Promise<T> => {
  let answer: Response;
  try { answer = await asked; } catch { throw new Problem(0, "", ""); }
  if (answer.status === 401) logIn();
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({})) as { title?: string; detail?: string };
    throw new Problem(answer.status, problem.title ?? answer.statusText, problem.detail ?? "");
  }
  if (answer.status === 202) {
    // It was taken and not said: a second person decides. Whoever sent it is told, and it is not sent again.
    const { awaiting } = await answer.json() as { awaiting: number };
    throw new Problem(202, "", String(awaiting));
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
};

export const get = <T>(path: string): Promise<T> =>
  answered(fetch(api + path, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) }));

/** Sends a command once: the key makes a repeated one the same command. */
export const send = <T>(method: "POST" | "PUT" | "DELETE", path: string, body: unknown, key: string = newKey()): Promise<T> =>
  answered(fetch(api + path, {
    method,
    headers: { "content-type": "application/json", "x-csrf": who.csrf ?? "", "idempotency-key": key },
    body: method === "DELETE" ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE),
  }));

export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Everything of a list, page by page, at most `most` rows. */
export const all = async <T>(path: string, most = 1_000): Promise<T[]> => {
  const rows: T[] = [];
  let after: string | null | undefined;
  do {
    const page: PageOf<T> = await get(`${path}${path.includes("?") ? "&" : "?"}limit=100${after ? `&after=${after}` : ""}`);
    rows.push(...page.items);
    after = page.next;
  } while (after && rows.length < most);
  return rows;
};

/** The stream of events; the browser sends `Last-Event-ID` when it comes back. */
export const events = () => new EventSource(`${api}/events`);
/** The address of a file that the node makes. */
export const fileAt = (path: string) => base + path;
