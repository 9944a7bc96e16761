// Fluent catalogues: which messages each has, and which languages are complete.

import { existsSync, readdirSync, readFileSync } from "node:fs";

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

/** Every catalogue by its language: `fr.ftl` and `fr.more.ftl` are two parts of one. */
export const catalogues = () => {
  const all = new Map();
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".ftl")).sort()) {
    const language = name.split(".")[0];
    const known = all.get(language) ?? new Map();
    for (const [message, variables] of messages(readFileSync(new URL(name, folder), "utf8"))) {
      if (known.has(message)) throw new Error(`${language} says ${message} twice`);
      known.set(message, variables);
    }
    all.set(language, known);
  }
  return all;
};

const sources = new URL("../src/", import.meta.url);

/** The messages that screens name in so many words, which every catalogue must have. */
export const named = () => new Set(readdirSync(sources, { recursive: true }).filter((name) => /\.(svelte|ts)$/.test(name))
  .flatMap((name) => [...readFileSync(new URL(name, sources), "utf8").matchAll(/\bt\("([a-z0-9-]+)"/g)].map(([, message]) => message)));

/** What the first screen can say: the messages of every file that it loads at once, and of them those that are not in the part
 *  of the English catalogue that it loads. */
export const first = () => {
  const main = messages(readFileSync(new URL("en.ftl", folder), "utf8"));
  const seen = new Set();
  const said = new Set();
  const look = (file) => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const text = readFileSync(file, "utf8");
    for (const [, message] of text.matchAll(/\bt\("([a-z0-9-]+)"/g)) said.add(message);
    for (const [, path] of text.matchAll(/^\s*import [^"]*"(\.[^"]+)"/gm)) {
      const found = ["", ".ts"].map((ending) => new URL(path + ending, file)).find((one) => /\.(ts|svelte)$/.test(one.pathname) && existsSync(one));
      if (found) look(found);
    }
  };
  look(new URL("main.ts", sources));
  return { count: said.size, lacking: [...said].filter((message) => !main.has(message)) };
};

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
