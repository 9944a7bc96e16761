// Keeps a page fresh: hears of changes over server-sent events, and swaps the parts marked `data-live` for newer ones.
// Nothing under the pointer or the keyboard moves: such a part waits until it is left. Pages work without this file.
"use strict";
(() => {
  const bar = document.getElementById("live");
  if (!bar || !window.EventSource) return;
  const LATE = 15_000, STALE = 60_000, REST = 1_000;
  const shown = { change: document.body.dataset.change, now: bar.dataset.now, clock: Date.now() };
  let lost = null, newest = null, loading = false, waiting = false;

  const clock = (time) => `${time.slice(11, 16)}Z`;
  const serverNow = () => new Date(new Date(shown.now).getTime() + Date.now() - shown.clock).toISOString();

  const say = () => {
    const silent = lost === null ? 0 : Date.now() - lost;
    const state = silent > STALE ? "stale" : silent > LATE ? "late" : "on";
    const text = state === "stale" ? `Not live: showing ${clock(shown.now)} data`
      : state === "late" ? "Not live: trying to reach the node" : waiting ? "Live: newer data waits while you are here" : "Live";
    bar.className = `live ${state}`;
    // A screen reader is told of changes of state alone.
    if (bar.textContent !== text) bar.textContent = text;
    const time = document.querySelector(".now strong");
    if (time) time.textContent = clock(serverNow());
  };

  const isBusy = (part) => part.matches(":hover") || part.contains(document.activeElement)
    || part.querySelector("details[open]") !== null || selects(part);
  const selects = (part) => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
  };

  // A document comes parsed and inert this way, which Trusted Types allow; text put into the page would not.
  const load = () => new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.timeout = 20_000;
    request.onload = () => (request.status === 200 && request.response ? done(request) : failed(request));
    request.onerror = request.ontimeout = () => failed(request);
    request.send();
  });

  const swap = (page) => {
    let left = false;
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(part.id);
      if (!next || next.isEqualNode(part)) continue;
      if (isBusy(part)) left = true;
      else part.replaceWith(document.importNode(next, true));
    }
    return left;
  };

  const refresh = async () => {
    // Answers to forms have no such part: their address can't be asked again.
    if (document.querySelector("[data-live]") === null) return;
    if (loading || newest === null || newest === shown.change || document.hidden) return;
    loading = true;
    try {
      const request = await load();
      const page = request.response;
      // Whoever was logged out meanwhile is sent to the login: that is another page, not newer data.
      const fresh = page.getElementById("live");
      if (!fresh) return location.reload();
      waiting = swap(page);
      shown.now = fresh.dataset.now;
      shown.clock = Date.now();
      if (!waiting) shown.change = page.body.dataset.change;
    } catch {
      lost ??= Date.now();
    } finally {
      setTimeout(() => { loading = false; if (!waiting) refresh(); }, REST);
      say();
    }
  };

  const events = new EventSource(bar.dataset.events);
  events.addEventListener("open", () => { lost = null; say(); });
  events.addEventListener("error", () => { lost ??= Date.now(); });
  events.addEventListener("change", (event) => { lost = null; newest = event.lastEventId; refresh(); });
  document.addEventListener("visibilitychange", refresh);
  setInterval(() => { say(); if (waiting) refresh(); }, 2_000);
})();
