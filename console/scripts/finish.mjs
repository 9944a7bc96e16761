// After the build: packs every text file beside itself, and holds the first route to its budget.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Bytes of the first route on the wire (style: 80 KB): page, modules, style, one catalogue and the map, without fonts. */
const BUDGET = 80_000;
const dist = new URL("../dist/", import.meta.url).pathname;

const packed = new Map();
const pack = (folder) => {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (statSync(file).isDirectory()) { pack(file); continue; }
    if (!/\.(html|js|css|svg)$/.test(name)) continue;
    const bytes = gzipSync(readFileSync(file), { level: 9 });
    // Pages stay as they are: an exercise's path is put into their addresses on the way out.
    if (!name.endsWith(".html")) writeFileSync(`${file}.gz`, bytes);
    packed.set(file.slice(dist.length), bytes.length);
  }
};
pack(dist);

const page = readFileSync(join(dist, "index.html"), "utf8");
if (/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/.test(page)) throw new Error("the page holds something inline");
const first = [...page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name);
// What the first screen loads after that: the longest catalogue and the map.
const assets = [...packed.keys()].filter((name) => name.startsWith("assets/"));
const sized = (pattern) => Math.max(0, ...assets.filter((name) => pattern.test(name)).map((name) => packed.get(name)));
const total = packed.get("index.html") + first.reduce((sum, name) => sum + (packed.get(name) ?? 0), 0)
  + sized(/assets\/[a-z]{2}-/) + sized(/assets\/map\.gen-/);
console.log(`first route: ${total} bytes packed (budget ${BUDGET})`);
if (total > BUDGET) throw new Error(`the first route has ${total} bytes, beyond its budget of ${BUDGET}`);
