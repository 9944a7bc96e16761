// Begins: who is logged in and in which language, then the first screen.

import "./app.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { speak } from "./lib/language.svelte";
import { applyTheme } from "./lib/settings.svelte";

applyTheme();
await speak();
const target = document.getElementById("app");
if (target) mount(App, { target });
