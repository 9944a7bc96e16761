// The keyboard: Ctrl K the palette, `/` the filter, j and k through rows, g and a letter to a screen, ? for help.
// Single keys can be switched off (WCAG 2.1.4); none of them sends anything.

import { screens } from "../screens/screens";
import { go } from "./route.svelte";
import { settings } from "./settings.svelte";

let awaits = false;

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));

const move = (by: number) => {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")].filter((row) => row.offsetParent !== null);
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))];
  next?.focus();
};

const single = (key: string): boolean => {
  if (awaits) {
    awaits = false;
    const screen = screens.find((one) => one.key === key);
    if (screen) go(screen.path);
    return screen !== undefined;
  }
  switch (key) {
    case "g": awaits = true; setTimeout(() => { awaits = false; }, 1_500); return true;
    case "j": move(1); return true;
    case "k": move(-1); return true;
    case "?": keyboard.help = true; return true;
    case "/": {
      const filter = document.querySelector<HTMLElement>("main [data-filter]");
      if (filter) filter.focus(); else keyboard.palette = true;
      return true;
    }
    default: return false;
  }
};

export const keyboard = $state({
  palette: false,
  help: false,
  settings: false,
  pressed: (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      keyboard.palette = true;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !settings.singleKeys) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    if (single(event.key)) event.preventDefault();
  },
});
