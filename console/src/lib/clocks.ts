// The clocks of calls for help: what we owe, and what partners owe us. Pure: from rows and a nation to a list.

import type { CaseRow } from "../api/client";

export interface Clock {
  id: string;
  row: CaseRow;
  /** A message of the catalogue: what has to be done. */
  duty: string;
  due: number;
  start: number;
  side: "ours" | "partners";
}

/** How long before a call for help lapses it is due to be looked at, milliseconds. */
const LAPSES_SOON = 7 * 24 * 3_600_000;

const is = (row: CaseRow, step: string) => row.next.some((one) => one.step === step);

/** Ours to do, soonest first. A clock stands for somebody who was told; what is done has none. */
export const clocks = (rows: CaseRow[], here: string, now: number): Clock[] => {
  const found: Clock[] = [];
  for (const row of rows.filter((one) => one.state === "open" || one.state === "anticipated")) {
    const start = Date.parse(row.asked);
    const by = Date.parse(row.by_when);
    const add = (duty: string, due: number, side: Clock["side"]) => {
      found.push({ id: `${row.entry}.${duty}`, row, duty, due, start, side });
    };
    const covered = row.covered === row.lines;
    const onTask = row.helpers.some((one) => one.stage === "on-mission" && one.phase === "on task");
    if (row.owner === here) {
      for (const helper of row.helpers) {
        if (helper.valid_until && is(row, "accept")) { add("accept", Date.parse(helper.valid_until), "ours"); break; }
      }
      if (!covered) add("answers", row.answer_by ? Date.parse(row.answer_by) : by, "partners");
      if (covered && !onTask) add("on-the-case", by, "partners");
      // A call lapses after 90 days: that is nobody's business before the last week.
      if (Date.parse(row.expires) - now < LAPSES_SOON) add("lapses", Date.parse(row.expires), "ours");
    } else {
      if (is(row, "reply")) add("reply", row.answer_by ? Date.parse(row.answer_by) : by, "ours");
      if (is(row, "countersign")) add("countersign", by, "ours");
      if (is(row, "mission") && !onTask) add("be-on-the-case", by, "ours");
    }
  }
  return found.sort((a, b) => a.due - b.due || a.id.localeCompare(b.id));
};

/** How urgent: as a share of its time, and by hours. */
export const phase = (clock: Clock, now: number): "late" | "critical" | "soon" | "calm" => {
  const left = clock.due - now;
  if (left < 0) return "late";
  if (left < 3_600_000) return "critical";
  return left < 6 * 3_600_000 || left / (clock.due - clock.start) < 0.1 ? "soon" : "calm";
};
