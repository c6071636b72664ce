// The emulator under test, a client of it, and the browser.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";

const PROGRAM = process.env.ARR_EMULATOR;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** An emulator on a free port. */
export class Emulator {
  static async start(...options) {
    if (!PROGRAM) throw new Error("set ARR_EMULATOR to the path of arr-emulator, or use run.sh");
    const emulator = new Emulator();
    emulator.folder = await mkdtemp(join(tmpdir(), "arr-page-"));
    await emulator.run("127.0.0.1:0", options);
    return emulator;
  }

  async run(listen, options) {
    const file = join(this.folder, "ready.json");
    this.options = options;
    this.process = spawn(PROGRAM, ["--listen", listen, "--ready-file", file, ...options], { stdio: "ignore" });
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.ended = ended;
    for (let tries = 0; ; tries += 1) {
      const text = await readFile(file, "utf8").catch(() => "");
      if (text) {
        this.ready = JSON.parse(text);
        break;
      }
      if (tries > 1500 || this.process.exitCode !== null) throw new Error("the emulator did not start");
      await sleep(20);
    }
    this.url = this.ready.url;
    this.token = null;
  }

  async end() {
    this.process.kill("SIGTERM");
    await this.ended;
  }

  async stop() {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The same emulator without its memory, on the same port. */
  async restart() {
    await this.end();
    await this.run(new URL(this.url).host, this.options);
  }

  /** A request to the service, which needs a token. */
  async send(method, path, body) {
    const { account_id, account_key } = this.ready;
    if (!this.token) {
      const headers = { Authorization: `Bearer ${account_id}:${account_key}` };
      const reply = await fetch(`${this.url}/accounts/${account_id}/token`, { headers });
      this.token = (await reply.json()).AccessToken;
    }
    const headers = { Authorization: `Bearer ${this.token}` };
    return fetch(`${this.url}${path}`, { method, headers, body: body && JSON.stringify(body) });
  }

  get sessions() {
    return `/v1/accounts/${this.ready.account_id}/sessions`;
  }

  async create(lease = "4:0:0", size = "standard") {
    const reply = await this.send("POST", `${this.sessions}/create`, { maxLeaseTime: lease, size });
    return reply.ok ? (await reply.json()).sessionId : null;
  }

  /** A session of REST 2021-01-01, whose id is the client's. */
  async createAs(id, minutes = 60) {
    const path = `/accounts/${this.ready.account_id}/sessions/${id}?api-version=2021-01-01`;
    const reply = await this.send("PUT", path, { maxLeaseTimeMinutes: minutes, size: "Premium" });
    if (reply.status !== 201) throw new Error(`create: ${reply.status}`);
  }

  read(session) {
    return this.send("GET", `${this.sessions}/${session}/properties`);
  }

  /** Sends bytes, and waits for the end of the connection. */
  sendRaw(text) {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(this.url).port), "127.0.0.1", () => socket.end(text));
      socket.on("data", () => {}).on("close", resolve).on("error", resolve);
    });
  }

  /** A control call, as from a script. */
  async control(method, path, body) {
    const reply = await fetch(`${this.url}/emulator${path}`, { method, body: body && JSON.stringify(body) });
    return reply.status === 204 ? null : reply.json();
  }

  async status(session) {
    const { sessions } = await this.control("GET", "/sessions");
    return sessions.find(({ id }) => id === session)?.status;
  }
}

export const launch = () => chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

/** Opens the emulator's page in its own context. Fails the test later if the page logs an error. */
export async function open(browser, emulator, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.problems.push(message.text());
  });
  await visit(page, emulator);
  return page;
}

export async function visit(page, emulator) {
  await page.goto(emulator.url);
  await page.locator("#connection[data-state=live]").waitFor();
}
