// What the screens say, from Fluent catalogues. Times, ids and labels are never translated.

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import languages from "virtual:languages";
import { keepLanguage, settings } from "./settings.svelte";

const catalogues = import.meta.glob<string>("../locales/*.ftl", { query: "?raw", import: "default" });
/** What the first screen says stands in `fr.ftl`, the rest in `fr.more.ftl`. */
const FIRST = "";
const MORE = ".more";
const spoken = $state<{ language: string; bundle: FluentBundle | null; english: FluentBundle | null }>({ language: "en", bundle: null, english: null });
let whole = false;
let asked = false;

const filled = async (language: string, parts: string[]) => {
  const bundle = new FluentBundle(language, { useIsolating: false });
  for (const text of await Promise.all(parts.map((part) => catalogues[`../locales/${language}${part}.ftl`]?.()))) bundle.addResource(new FluentResource(text ?? ""));
  return bundle;
};

/** The languages that can be chosen: those whose catalogue says everything. */
export const offered: string[] = languages;

/** The language's name in itself. */
export const nameOf = (language: string) => new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;

const preferred = () => {
  const wanted = [settings.language, ...navigator.languages.map((one) => one.slice(0, 2))];
  return wanted.find((one): one is string => one !== null && offered.includes(one)) ?? "en";
};

/** Speaks the chosen language, or the browser's. */
export const speak = async (chosen?: string) => {
  if (chosen) keepLanguage(chosen);
  const language = preferred();
  const bundle = await filled(language, whole ? [FIRST, MORE] : [FIRST]);
  spoken.language = language;
  spoken.bundle = bundle;
  document.documentElement.lang = language;
};

/** Every screen but the first says more: it is loaded with the first of them. */
export const sayMore = async () => {
  if (whole) return;
  whole = true;
  await speak();
};

export const language = () => spoken.language;

/** A message that the language lacks is said in English, which is loaded when it is first needed. */
const inEnglish = (name: string) => {
  if (!spoken.english && !asked && spoken.bundle) {
    asked = true;
    void filled("en", [FIRST, MORE]).then((bundle) => { spoken.english = bundle; });
  }
  return spoken.english?.getMessage(name)?.value;
};

/** A message with its variables. One that is in no catalogue shows its name, which a test refuses. */
export const t = (name: string, variables?: Record<string, FluentVariable>): string => {
  const pattern = spoken.bundle?.getMessage(name)?.value;
  if (pattern && spoken.bundle) return spoken.bundle.formatPattern(pattern, variables);
  const english = inEnglish(name);
  if (english && spoken.english) return spoken.english.formatPattern(english, variables);
  return spoken.english || spoken.language === "en" ? `{${name}}` : "…";
};

/** Is there such a message? */
export const has = (name: string) => spoken.bundle?.hasMessage(name) ?? false;

/** A word of the API in the person's language; a word of a newer node stands as it came. */
export const word = (kind: string, said: string) => {
  const name = `${kind}-${said.replaceAll(" ", "-").replaceAll("+", "-")}`;
  return has(name) ? t(name) : said;
};

/** A country's name. The Union writes EL for Greece, ISO writes GR. */
export const country = (code: string) => {
  const region = code === "EL" ? "GR" : code;
  try { return new Intl.DisplayNames([spoken.language], { type: "region" }).of(region) ?? code; } catch { return code; }
};
