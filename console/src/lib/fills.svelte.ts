// What our capacities could fill of partners' calls for help, as our own node says: nothing of it leaves.

import { get, type Case, type CaseRow, type Matches, type PairingRow } from "../api/client";
import type { DrawnLine } from "./acts";
import { data, here } from "./data.svelte";
import { live } from "./live.svelte";

/** Calls of which it is asked: more than fit a screen. */
const MOST = 20;
/** Between two times of asking, milliseconds: an import commits a hundred times a second. */
const PACE = 5_000;

const found = $state<{ counts: Record<string, number> }>({ counts: {} });
let asked = "";
let last = 0;
let waits = false;

export const fills = {
  /** How many of what a call lacks could be filled from here; 0 until it is known. */
  of: (entry: string) => found.counts[entry] ?? 0,
};

const ask = (rows: CaseRow[]) => {
  last = performance.now();
  asked = named(rows);
  const now = asked;
  void Promise.all(rows.map((row) => get<Matches>(`/assistance/${encodeURIComponent(row.entry)}/matches`)
    .then((matches) => [row.entry, matches.fills] as const).catch(() => [row.entry, 0] as const)))
    .then((counts) => { if (now === asked) found.counts = Object.fromEntries(counts); });
};

const named = (rows: CaseRow[]) => rows.map((row) => row.entry).join(" ");
const answerable = () => data.cases.filter((row) => row.owner !== here() && row.next.some((one) => one.step === "reply")).slice(0, MOST);

/** Asks at once when other calls can be answered than before, and in its own pace when something else has changed. */
export const follow = () => {
  const rows = answerable();
  if (named(rows) !== asked) { ask(rows); return; }
  if (waits || rows.length === 0) return;
  waits = true;
  setTimeout(() => { waits = false; ask(answerable()); }, Math.max(0, last + PACE - performance.now()));
};

const later = (one: string, other: string) => (Date.parse(one) > Date.parse(other) ? one : other);
const sooner = (one: string | undefined, other: string | undefined) => (one && other ? (Date.parse(one) < Date.parse(other) ? one : other) : one ?? other);

/** The lines of an offer as they are proposed. A line has one time: who can't be there then is for another answer. */
export const drawn = (pairings: PairingRow[], whole: Case): DrawnLine[] => {
  const lines: DrawnLine[] = [];
  for (const need of whole.needs) {
    const pairs = pairings.filter((one) => one.line === need.line).sort((a, b) => b.quantity - a.quantity);
    let line: DrawnLine | null = null;
    for (const pair of pairs) {
      const draw = { capacity: pair.capacity, name: pair.name, quantity: pair.quantity };
      if (!line) { line = { line: need.line, quantity: pair.quantity, mode: pair.mode, from: pair.from, until: pair.until ?? undefined, draws: [draw] }; continue; }
      const from: string = later(line.from ?? pair.from, pair.from);
      const until: string | undefined = sooner(line.until, pair.until ?? undefined);
      if (until && Date.parse(until) <= Date.parse(from)) continue;
      line = { ...line, from, until, quantity: line.quantity + pair.quantity, mode: line.mode === pair.mode ? line.mode : "either", draws: [...line.draws, draw] };
    }
    if (!line) continue;
    // From now on is said by saying nothing.
    if (line.from && Date.parse(line.from) <= live.now) line = { ...line, from: undefined };
    lines.push(line);
  }
  return lines;
};
