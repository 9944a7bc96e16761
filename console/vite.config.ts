// The build of the console: nothing inline, names by content, and the list of languages whose catalogue is complete.

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";
import { complete } from "./scripts/catalogues.mjs";

/** `virtual:languages`: a language is offered when its catalogue says everything that the English one says. */
const languages = (): Plugin => ({
  name: "languages",
  resolveId: (id) => (id === "virtual:languages" ? "\0languages" : undefined),
  load: (id) => (id === "\0languages" ? `export default ${JSON.stringify(complete())}` : undefined),
});

export default defineConfig({
  base: "./",
  plugins: [svelte(), languages()],
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One module for what every screen needs; each screen that is not the first is a module of its own.
    chunkSizeWarningLimit: 400,
  },
  // `npm run dev` beside a node of a debug build: ENTRAIDE_NODE=http://127.0.0.1:8443.
  server: { proxy: { "/api": process.env.ENTRAIDE_NODE ?? "http://127.0.0.1:8443", "/login": process.env.ENTRAIDE_NODE ?? "http://127.0.0.1:8443" } },
});
