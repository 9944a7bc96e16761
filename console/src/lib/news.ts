// What was said in the calls for help, in words, the newest first.

import type { CaseRow, SaidRow } from "../api/client";
import { t, word } from "./language.svelte";

export interface News extends SaidRow { says: string; request: string; number: string }

const SHOWN = 12;

/** One statement in words. */
export const inWords = (said: SaidRow) => (said.what === "mission" && said.phase ? t("said-mission", { phase: word("phase", said.phase) }) : t(`said-${said.what}`));

export const news = (rows: CaseRow[]): News[] =>
  rows.flatMap((row) => row.news.map((one) => ({ ...one, says: inWords(one), request: row.entry, number: row.number })))
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, SHOWN);
