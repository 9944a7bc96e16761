// Where a call for help stands on the board: derived from who has answered and how far that goes.

import type { CaseRow } from "../api/client";

export const STAGES = ["asked", "offers", "agreed", "mission", "over"] as const;
export type Stage = (typeof STAGES)[number];

export const stage = (row: CaseRow): Stage => {
  if (row.state !== "open" && row.state !== "anticipated") return "over";
  const stages = row.helpers.map((one) => one.stage);
  if (stages.includes("on-mission")) return "mission";
  if (stages.includes("agreed")) return "agreed";
  return stages.some((one) => one === "yes" || one === "maybe" || one === "accepted") ? "offers" : "asked";
};

/** Does it help, or has it said that it can? */
export const helps = (said: string) => ["yes", "maybe", "accepted", "agreed", "on-mission"].includes(said);
