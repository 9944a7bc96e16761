// What the screens say, from Fluent catalogues. Times, ids and labels are never translated.

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import languages from "virtual:languages";
import { keepLanguage, settings } from "./settings.svelte";

const catalogues = import.meta.glob<string>("../locales/*.ftl", { query: "?raw", import: "default" });
const spoken = $state<{ language: string; bundle: FluentBundle | null }>({ language: "en", bundle: null });

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
  const text = await catalogues[`../locales/${language}.ftl`]?.();
  const bundle = new FluentBundle(language, { useIsolating: false });
  bundle.addResource(new FluentResource(text ?? ""));
  spoken.language = language;
  spoken.bundle = bundle;
  document.documentElement.lang = language;
};

export const language = () => spoken.language;

/** A message with its variables. A message that is not there shows its name, which a test refuses. */
export const t = (name: string, variables?: Record<string, FluentVariable>): string => {
  const pattern = spoken.bundle?.getMessage(name)?.value;
  return pattern && spoken.bundle ? spoken.bundle.formatPattern(pattern, variables) : `{${name}}`;
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
