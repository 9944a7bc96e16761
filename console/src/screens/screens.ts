// Where each screen lives: its address, its place in the navigation, its key after `g`. The first is loaded at once.

import type { Component } from "svelte";
import { sayMore } from "../lib/language.svelte";
import * as Situation from "./Situation.svelte";

export interface Screen {
  id: string;
  path: string;
  /** The letter after `g`. */
  key: string;
  /** One path on 24 by 24; without one it is not in the navigation. */
  icon?: string;
  load: () => Promise<{ default: Component }>;
}

/** A screen that is loaded when it is first opened, with what it says. */
const later = (load: () => Promise<{ default: Component }>) => async () => (await Promise.all([load(), sayMore()]))[0];

export const screens: Screen[] = [
  { id: "situation", path: "/", key: "s", icon: "M3 11 12 4l9 7v9H3z", load: async () => Situation },
  { id: "inbox", path: "/inbox", key: "i", icon: "M3 13h5l2 3h4l2-3h5M3 13v6h18v-6L18 5H6z", load: later(() => import("./Inbox.svelte")) },
  { id: "assistance", path: "/assistance", key: "a", icon: "M4 12l4-4 4 3 4-3 4 4-8 7z", load: later(() => import("./Assistance.svelte")) },
  { id: "ask", path: "/ask", key: "h", load: later(() => import("./Ask.svelte")) },
  { id: "capacities", path: "/capacities", key: "c", icon: "M4 8h16v11H4zM9 8V5h6v3M4 13h16", load: later(() => import("./Capacities.svelte")) },
  { id: "roster", path: "/roster", key: "r", icon: "M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16M12 8v4l3 2", load: later(() => import("./Roster.svelte")) },
  { id: "acts", path: "/acts", key: "t", icon: "M4 20l4-1L19 8l-3-3L5 16zM14 7l3 3M4 20h16", load: later(() => import("./Acts.svelte")) },
  { id: "partners", path: "/partners", key: "p", icon: "M8 11a3 3 0 1 0 0-.1M17 11a2.500 2.500 0 1 0 0-.1M3 19c0-3 2-5 5-5s5 2 5 5M14 14.500c3-.8 6 1 6 4.500", load: later(() => import("./Partners.svelte")) },
  { id: "journal", path: "/journal", key: "j", icon: "M6 3h12v18H6zM9 8h6M9 12h6M9 16h3", load: later(() => import("./Journal.svelte")) },
];
