// Where one is: the part of the address after `#`, with all filters in it, so that a link shows what its sender saw.

interface Route { path: string; query: URLSearchParams }

const read = (): Route => {
  const [path, query] = location.hash.replace(/^#/, "").split("?", 2);
  return { path: path && path.startsWith("/") ? path : "/", query: new URLSearchParams(query ?? "") };
};

let current = $state.raw<Route>(read());
addEventListener("hashchange", () => { current = read(); });

export const route = {
  get path() { return current.path; },
  get query() { return current.query; },
  /** The segments of the path: `/assistance/FR:12` has two. */
  get parts() { return current.path.split("/").filter(Boolean).map(decodeURIComponent); },
};

export const go = (to: string) => { location.hash = to; };

/** Changes filters of this screen; the browser's history keeps one step a screen. */
export const filter = (changes: Record<string, string | null>) => {
  const query = new URLSearchParams(current.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value); else query.delete(name);
  }
  const text = query.toString();
  history.replaceState(null, "", `#${current.path}${text ? `?${text}` : ""}`);
  current = read();
};

/** The address of a screen with filters. */
export const to = (path: string, filters: Record<string, string> = {}) => {
  const query = new URLSearchParams(filters).toString();
  return `#${path}${query ? `?${query}` : ""}`;
};
