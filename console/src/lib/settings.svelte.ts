// What a person sets for this browser: theme, language, single keys. Nothing of it leaves the browser.

import { scope } from "../api/client";

type Theme = "system" | "light" | "dark";

const read = (name: string): string | null => {
  try { return localStorage.getItem(`entraide.${name}`); } catch { return null; }
};
const write = (name: string, value: string) => {
  try { localStorage.setItem(`entraide.${name}`, value); } catch { /* private windows keep nothing: the setting holds for now */ }
};

export const settings = $state({
  theme: (read("theme") ?? "system") as Theme,
  singleKeys: read("single-keys") !== "off",
  language: read("language"),
});

export const applyTheme = () => {
  if (settings.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = settings.theme;
};
export const setTheme = (theme: Theme) => { settings.theme = theme; write("theme", theme); applyTheme(); };
export const setSingleKeys = (on: boolean) => { settings.singleKeys = on; write("single-keys", on ? "on" : "off"); };
export const keepLanguage = (language: string) => { settings.language = language; write("language", language); };

/** A value kept for this node and realm: several may be served from one host. */
export const kept = {
  read: (name: string) => read(`${scope()}.${name}`),
  write: (name: string, value: string) => write(`${scope()}.${name}`, value),
  drop: (name: string) => { try { localStorage.removeItem(`entraide.${scope()}.${name}`); } catch { /* nothing was kept */ } },
};
