// Fluent catalogues: which messages each has, and which languages are complete.

import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../src/locales/", import.meta.url);

/** The messages of a catalogue with the variables that each uses. */
export const messages = (text) => {
  const found = new Map();
  let name = "";
  for (const line of text.split("\n")) {
    const begins = /^([a-z][a-z0-9-]*) *=/.exec(line);
    if (begins) name = begins[1];
    else if (line.trim() === "" || line.startsWith("#")) continue;
    if (!name) continue;
    const known = found.get(name) ?? new Set();
    for (const [, variable] of line.matchAll(/\$([a-z]+)/g)) known.add(variable);
    found.set(name, known);
  }
  return found;
};

/** Every catalogue by its language. */
export const catalogues = () => new Map(readdirSync(folder).filter((name) => name.endsWith(".ftl")).sort()
  .map((name) => [name.slice(0, -4), messages(readFileSync(new URL(name, folder), "utf8"))]));

/** What a catalogue lacks of the English one, has beyond it, or says with other variables. */
export const faults = (language, all = catalogues()) => {
  const [english, other] = [all.get("en"), all.get(language)];
  const found = [];
  for (const [name, variables] of english) {
    const said = other.get(name);
    if (!said) found.push(`${language} lacks ${name}`);
    else if ([...said].some((variable) => !variables.has(variable))) found.push(`${language} uses other variables in ${name}`);
  }
  for (const name of other.keys()) if (!english.has(name)) found.push(`${language} has ${name} beyond the English one`);
  return found;
};

/** The languages that can be offered. */
export const complete = () => {
  const all = catalogues();
  return [...all.keys()].filter((language) => faults(language, all).length === 0);
};
