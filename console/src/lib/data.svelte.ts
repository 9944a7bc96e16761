// What the screens show: read whole from the node whenever it says that something has changed.

import { all, get, known, Problem, type ActOf, type AlertOf, type CaseRow, type Duty, type ForYou, type HandoverOf, type PageOf, type Recovery, type Session, type Status } from "../api/client";
import { live, listen, told } from "./live.svelte";
import { kept } from "./settings.svelte";
import { MINUTE } from "./time";

/** Between two readings, milliseconds: an import commits a hundred times a second. */
const PACE = 400;
/** A pointer that has moved this recently is about to do something: nothing may move under it. */
const RESTING = 2_000;

/** The newest alerts: whoever must wake up sees them on every screen. */
const ALERTS = 20;

interface Everything { status: Status; cases: CaseRow[]; red: number; recovery: Recovery | null; duty: Duty | null; alerts: AlertOf[]; acts: ActOf[]; handovers: HandoverOf[] }

export const data = $state({
  session: null as Session | null,
  status: null as Status | null,
  cases: [] as CaseRow[],
  red: 0,
  recovery: null as Recovery | null,
  duty: null as Duty | null,
  alerts: [] as AlertOf[],
  /** What awaits a second person. */
  acts: [] as ActOf[],
  handovers: [] as HandoverOf[],
  problem: null as Problem | null,
  /** How often everything was read: screens that read more of their own follow it. */
  version: 0,
  waiting: false,
  /** When this person was last here, before this visit. */
  lastVisit: 0,
});

export const may = (what: string) => data.session?.may.includes(what) ?? false;
export const here = () => data.status?.country ?? "";
export const isExercise = () => data.status !== null && data.status.realm !== "REAL";

let moved = 0;
let busy = false;
let again = false;
addEventListener("pointermove", () => { moved = performance.now(); }, { passive: true });

const read = async (): Promise<Everything> => {
  const [status, cases, red, recovery, duty, alerts, acts, handovers] = await Promise.all([
    get<Status>("/status"),
    all<CaseRow>("/assistance"),
    get<ForYou>("/red").then((answer) => answer.count),
    get<Recovery>("/recovery").catch(() => null),
    get<Duty>("/roster/duty").catch(() => null),
    get<PageOf<AlertOf>>(`/alerts?limit=${ALERTS}`).then((page) => page.items).catch(() => []),
    may("speak") ? get<PageOf<ActOf>>("/acts/waiting").then((page) => page.items).catch(() => []) : [],
    may("take-in") ? get<PageOf<HandoverOf>>("/handovers").then((page) => page.items).catch(() => []) : [],
  ]);
  return { status, cases, red, recovery, duty, alerts, acts, handovers };
};

const show = (everything: Everything) => {
  Object.assign(data, everything, { problem: null, waiting: false });
  data.version += 1;
  told(everything.status.now);
  live.shown = Date.parse(everything.status.now);
};

const isUsed = () => performance.now() - moved < RESTING && document.querySelector("[data-live]:hover") !== null;

/** Shows what was read as soon as nobody is about to click on it. */
const settle = (everything: Everything): Promise<void> => new Promise((done) => {
  const look = () => {
    if (isUsed()) { data.waiting = true; setTimeout(look, 300); return; }
    show(everything);
    done();
  };
  look();
});

/** Reads everything anew; `now` after one's own command, whose effect one waits for. */
export const refresh = async (now = false): Promise<void> => {
  if (busy && !now) { again = true; return; }
  busy = true;
  try {
    const everything = await read();
    if (now) show(everything); else await settle(everything);
  } catch (problem) {
    data.problem = problem instanceof Problem ? problem : new Problem(0, "", String(problem));
  } finally {
    busy = false;
    if (again) { again = false; setTimeout(() => void refresh(), PACE); }
  }
};

/** Remembers the end of the last visit, and goes on noting this one. */
const visit = () => {
  data.lastVisit = Number(sessionStorage.getItem("entraide.before") ?? kept.read("seen") ?? 0);
  sessionStorage.setItem("entraide.before", String(data.lastVisit));
  const note = () => kept.write("seen", String(live.now));
  addEventListener("pagehide", note);
  setInterval(note, MINUTE);
};

/** Who is logged in, everything once, and from then on whatever changes. */
export const begin = async () => {
  const [session, status] = await Promise.all([get<Session>("/session"), get<Status>("/status")]);
  known(session, status.origin);
  data.session = session;
  visit();
  await refresh(true);
  listen(() => void refresh());
};
