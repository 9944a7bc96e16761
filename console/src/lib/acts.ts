// What can be said in a case: each act with its route, its fields and who will see it.

import { fileAt, get, send, type Case, type NeedRow, type OfferRow, type Said, type Sheet } from "../api/client";

export type Step = "yes" | "maybe" | "no" | "take-back" | "accept" | "countersign" | "decline" | "acknowledge" | "mission" | "end" | "retract" | "close" | "withdraw";

/** A line of an offer that is drawn from own capacities. */
export interface DrawnLine {
  line: number;
  quantity: number;
  mode: string;
  from?: string;
  until?: string;
  draws: { capacity: string; name: string; quantity: number }[];
}

export interface Act {
  step: Step;
  /** What it answers, or the request itself. */
  entry: string;
  /** The other party, who alone will see it; without one the request's whole audience does. */
  sees?: string;
  offer?: OfferRow;
  /** Of an offer as matching proposes it: exactly these lines, drawn from exactly these capacities. */
  draws?: DrawnLine[];
  /** Of a mission: where it stands. */
  phase?: string;
}

export interface Fields {
  call: string;
  note: string;
  quantities: Record<number, number>;
  fulfilled: boolean;
  phase: string;
  leader: string;
  report: string;
  hours: number;
  cost: number;
}

/** Which phase of a mission may follow which, as the domain's own table says. */
export const NEXT_PHASES: Record<string, string[]> = {
  "": ["ordered", "mobilising", "travelling", "on-task"],
  "ordered": ["mobilising", "travelling", "on-task", "aborted"],
  "mobilising": ["travelling", "on-task", "aborted"],
  "travelling": ["on-task", "aborted"],
  "on task": ["on-task", "travelling", "handover", "aborted"],
  "handover": ["demobilising", "reporting", "aborted"],
  "demobilising": ["reporting", "aborted"],
  "reporting": ["closed"],
};

const lines = (fields: Fields) => Object.entries(fields.quantities).filter(([, quantity]) => quantity > 0)
  .map(([line, quantity]) => ({ line: Number(line), quantity }));
const said = (text: string) => text.trim() || undefined;

/** What is missing of a need, as its requester sees it. */
export const missing = (need: NeedRow) => Math.max(0, need.asked - need.accepted - need.committed - need.fulfilled);

/** Says it, once for each key. */
export const say = (act: Act, fields: Fields, needs: NeedRow[], key: string): Promise<Said> => {
  const to = (path: string, body: unknown) => send<Said>("POST", `/assistance/${act.entry}/${path}`, body, key);
  const mode = (line: number) => needs.find((need) => need.line === line)?.mode ?? "either";
  switch (act.step) {
    case "yes": if (act.draws) {
      const drawn = act.draws.map((one) => ({ ...one, draws: one.draws.map(({ capacity, quantity }) => ({ capacity, quantity })) }));
      return to("reply", { answer: "yes", call: fields.call.trim(), note: said(fields.note), lines: drawn });
    } return to("reply", { answer: "yes", call: fields.call.trim(), note: said(fields.note), lines: lines(fields).map((one) => ({ ...one, mode: mode(one.line) })) });
    case "maybe": case "no": return to("reply", { answer: act.step, call: fields.call.trim(), note: said(fields.note) });
    case "take-back": return to("reply", { answer: "withdrawn", call: fields.call.trim(), note: said(fields.note) });
    case "accept": return to("accept", { lines: lines(fields), terms: said(fields.note) });
    case "countersign": case "acknowledge": return to("step", { step: act.step });
    case "decline": case "retract": return to("step", { step: act.step, reason: said(fields.note) });
    case "end": return to("step", { step: "end", fulfilled: fields.fulfilled, reason: said(fields.note) });
    case "mission": return to("mission", { phase: fields.phase, leader: said(fields.leader), report: said(fields.report), hours: fields.hours || undefined, cost_cents: Math.round(fields.cost * 100) || undefined });
    case "close": return to("versions", { phase: "closed" });
    case "withdraw": return to("versions", { phase: "withdrawn" });
  }
};

/** Who sees a new version of our request: whoever sees the newest. */
export const audienceOf = (entry: string) => get<Sheet>(`/objects/${entry}/who-sees`);
/** The proof of a statement as a file. */
export const proofFile = (entry: string) => fileAt(`/proofs/${entry}/file`);

/** Everything that this nation can say now in a case, the most urgent first. */
export const acts = (whole: Case, here: string): Act[] => {
  const found: Act[] = [];
  const mine = whole.owner === here;
  for (const step of whole.next) {
    const offer = whole.answers.find((one) => one.entry === step.entry || one.agreements.some((agreed) => agreed.entry === step.entry));
    const agreed = offer?.agreements.find((one) => one.entry === step.entry);
    switch (step.step) {
      case "reply": for (const answer of ["yes", "maybe", "no"] as const) found.push({ step: answer, entry: step.entry, sees: whole.owner }); break;
      case "accept": if (offer) found.push({ step: "accept", entry: step.entry, sees: offer.provider, offer }); break;
      case "countersign": found.push({ step: "countersign", entry: step.entry, sees: whole.owner, offer }, { step: "decline", entry: step.entry, sees: whole.owner, offer }); break;
      case "acknowledge": found.push({ step: "acknowledge", entry: step.entry, sees: whole.owner, offer }); break;
      case "mission": found.push({ step: "mission", entry: step.entry, sees: whole.owner, offer, phase: agreed?.mission?.phase ?? "" }); break;
      case "end": found.push({ step: "end", entry: step.entry, sees: whole.owner, offer }); break;
      case "close": found.push({ step: "close", entry: step.entry }); break;
    }
  }
  if (whole.state === "open" && mine && !found.some((act) => act.step === "close")) found.push({ step: "withdraw", entry: whole.entry });
  for (const offer of whole.answers) {
    if (!mine && offer.provider === here && (offer.answer === "yes" || offer.answer === "maybe") && whole.state === "open") {
      if (offer.answer === "maybe") found.push({ step: "yes", entry: whole.entry, sees: whole.owner });
      found.push({ step: "take-back", entry: whole.entry, sees: whole.owner, offer });
    }
    for (const agreed of offer.agreements) {
      if (mine && (agreed.state === "proposed" || (agreed.state === "in force" && !agreed.notice))) found.push({ step: "retract", entry: agreed.entry, sees: offer.provider, offer });
    }
  }
  return found;
};
