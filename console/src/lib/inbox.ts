// What waits for us: taken from what the node says that it can say next, and from how it stands with its partners.

import type { ActOf, AlertOf, CaseRow, HandoverOf, NextStep, Partner } from "../api/client";
import { data } from "./data.svelte";

export type Waiting =
  | { kind: "alert"; alert: AlertOf }
  | { kind: "act"; act: ActOf }
  | { kind: "handover"; handover: HandoverOf }
  | { kind: "step"; row: CaseRow; step: NextStep }
  | { kind: "partner"; partner: Partner; why: "held" | "awaiting-confirmation" | "successor" }
  | { kind: "red"; count: number }
  | { kind: "recovery"; state: string };

/** Of one call for help: what this node can say next, but for what has time: closing what is covered, news of a mission that
 *  is on task. */
export const steps = (row: CaseRow) => {
  const onTask = row.helpers.some((one) => one.country === data.status?.country && one.phase === "on task");
  return row.next.filter((step) => step.step !== "close" && !(step.step === "mission" && onTask));
};

export const inbox = (): Waiting[] => {
  const found: Waiting[] = [];
  for (const alert of data.alerts) if (alert.state !== "acknowledged") found.push({ kind: "alert", alert });
  for (const act of data.acts) if (act.may.includes("approve") || act.may.includes("ratify")) found.push({ kind: "act", act });
  for (const handover of data.handovers) if (handover.may_take) found.push({ kind: "handover", handover });
  if (data.recovery && data.recovery.state !== "speaking") found.push({ kind: "recovery", state: data.recovery.state });
  for (const row of data.cases) for (const step of steps(row)) found.push({ kind: "step", row, step });
  for (const partner of data.status?.partners ?? []) {
    if (partner.state === "held") found.push({ kind: "partner", partner, why: "held" });
    else if (partner.state === "awaiting-confirmation") found.push({ kind: "partner", partner, why: "awaiting-confirmation" });
    else if (partner.successor) found.push({ kind: "partner", partner, why: "successor" });
  }
  if (data.red > 0) found.push({ kind: "red", count: data.red });
  return found;
};
