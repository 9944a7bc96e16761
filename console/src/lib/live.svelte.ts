// What is live: the stream of events, how long it has been silent, and the node's clock.

import { events, get, type Session } from "../api/client";
import { SECOND } from "./time";

/** Silent for longer: amber, then red (style: 15 s and 60 s). The node tells the time every 5 s. */
const LATE = 15 * SECOND;
const STALE = 60 * SECOND;
/** Before a stream that the node has refused is asked for again. */
const AGAIN = 5 * SECOND;

let ahead = 0;
let heard = performance.now();
export const live = $state({ now: Date.now(), state: "on" as "on" | "late" | "stale", shown: Date.now() });

/** The node has said what time it is: clocks tick on it. */
export const told = (now: string) => { ahead = Date.parse(now) - Date.now(); heard = performance.now(); tick(); };

const tick = () => {
  live.now = Date.now() + ahead;
  const silent = performance.now() - heard;
  live.state = silent > STALE ? "stale" : silent > LATE ? "late" : "on";
};

/** Listens for as long as the page is there; `changed` is called whenever the node has something new. */
export const listen = (changed: () => void) => {
  setInterval(tick, SECOND);
  const open = () => {
    const stream = events();
    stream.addEventListener("change", () => { heard = performance.now(); changed(); });
    stream.addEventListener("time", (event) => told((JSON.parse((event as MessageEvent<string>).data) as { now: string }).now));
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      // The session may have ended: asking says so, and leads to the login.
      setTimeout(() => { void get<Session>("/session").catch(() => undefined).finally(open); }, AGAIN);
    });
  };
  open();
};
