// Starts nodes of the real binary for the browser tests: two nations in one exercise, each in a directory of its own.

import { execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
export const root = resolve(here, "../..");
export const binary = process.env.ENTRAIDE_BIN ?? join(root, "target/debug/entraide");

/** A port that is free now; nothing else on the machine asks for it before the node does. */
const freePort = () => new Promise((done, failed) => {
  const server = createServer().once("error", failed);
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

/** Waits until `ask` answers something true, at most 30 s. */
export const until = async (what, ask) => {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    const answer = await ask().catch(() => undefined);
    if (answer) return answer;
    await new Promise((done) => setTimeout(done, 150));
  }
  throw new Error(`waited 30 s for ${what}`);
};

/** The code of RFC 6238 for a secret in base32 (SHA-1, 30 s, six digits). */
export const totp = (secret, at = Date.now()) => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = digest[19] & 0x0f;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
};

export class Node {
  #child;
  #dir;
  #usedStep = 0;

  /** Makes and starts the node of a country. */
  static async start(country, realm = "EX-BROWSER") {
    const node = new Node();
    node.#dir = await mkdtemp(join(tmpdir(), `entraide-${country}-`));
    const [web, federation] = [await freePort(), await freePort()];
    const dir = join(node.#dir, "node");
    const made = await run(binary, ["init", "--dir", dir, "--authority", country, "--name", `CERT-${country}`,
      "--realm", realm, "--federation", `127.0.0.1:${federation}`, "--json"]);
    node.access = JSON.parse(made.stdout);
    node.url = `http://127.0.0.1:${web}`;
    node.#child = spawn(binary, ["serve", "--dir", dir, "--listen", `127.0.0.1:${web}`,
      "--federation", `127.0.0.1:${federation}`, "--plain-http"], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    node.#child.stderr.on("data", (text) => { said = (said + text).slice(-4_000); });
    await until(`${country} to listen`, async () => (await fetch(`${node.url}/healthz`)).ok).catch((error) => {
      throw new Error(`${error.message}: ${said}`);
    });
    return node;
  }

  /** Opens an exercise beside reality; gives what is served below its path, as if it were a node of its own. */
  async exercise(session, realm) {
    const beside = new Node();
    beside.access = await session.command("POST", "/exercises", { realm, name: "Exercise (invented)", address: `127.0.0.1:${await freePort()}` });
    beside.url = this.url + beside.access.path.replace(/\/$/, "");
    return beside;
  }

  /** The same node for another account. */
  as(access) {
    const other = new Node();
    other.access = access;
    other.url = this.url;
    return other;
  }

  /** What a person types to log in. Each code works once, so this waits for the next if the newest was used. */
  async credentials() {
    const step = () => Math.floor(Date.now() / 30_000);
    // A node accepts one step of skew: the step ahead saves most of the waiting.
    const next = Math.max(step(), this.#usedStep + 1);
    while (next > step() + 1) await new Promise((done) => setTimeout(done, 200));
    this.#usedStep = next;
    return { login: this.access.login, password: this.access.password, code: totp(this.access.totp_secret, next * 30_000) };
  }

  /** Logs in over the API; gives the cookie for a browser, and a way to send commands. */
  async session() {
    const answer = await this.#send("POST", "/session", JSON.stringify(await this.credentials()), {});
    const [name, value] = answer.headers.get("set-cookie").split(";")[0].split("=");
    const { csrf } = await answer.json();
    const headers = { cookie: `${name}=${value}`, "x-csrf": csrf };
    const command = async (method, path, body) => {
      const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
      const answer = await this.#send(method, path, method === "GET" ? undefined : text, headers);
      return answer.status === 204 ? undefined : answer.json();
    };
    return { cookie: { name, value, url: this.url, httpOnly: true, sameSite: "Strict" }, command };
  }

  async #send(method, path, body, headers) {
    const answer = await fetch(`${this.url}/api/v1${path}`, { method, body, headers: { "content-type": "application/json", ...headers } });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  /** Stops the node and takes its directory away. */
  async stop() {
    const ended = new Promise((done) => this.#child.once("exit", done));
    this.#child.kill("SIGTERM");
    await ended;
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** A sample of the repository. */
export const sample = (name) => readFile(join(root, "examples", name), "utf8");
