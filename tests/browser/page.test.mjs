// The emulator's page in Chromium: what it shows, and that its buttons do what they say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { Emulator, launch, open, visit } from "./support.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 10_000;

let browser;
let emulator;
let page;

before(async () => { browser = await launch(); });
after(() => browser.close());

/** Waits until a condition holds. */
async function until(condition, what) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) assert.fail(`not in ${PATIENCE} ms: ${what ?? condition}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

const sessionRow = (id) => page.locator("#sessions tbody tr").filter({ hasText: id });
const requestRows = () => page.locator("#requests tbody tr");
const stateOf = (id) => sessionRow(id).locator(".state").textContent();
const button = (id, name) => sessionRow(id).getByRole("button", { name: `${name}: session ${id}` });
const becomes = (id, state) => until(async () => await stateOf(id) === state, `${id} is ${state}`);

describe("the page", { concurrency: false }, () => {
  // One page for all tests, and an emulator for each.
  before(async () => {
    emulator = await Emulator.start();
    page = await open(browser, emulator);
    await emulator.stop();
  });
  after(() => page.context().close());
  beforeEach(async () => {
    emulator = await Emulator.start("--startup", "0s", "--stopping", "60s");
    page.problems.length = 0;
    await visit(page, emulator);
  });
  afterEach(async () => {
    const problems = page.problems.slice();
    await page.goto("about:blank");
    await emulator.stop();
    assert.deepEqual(problems, []);
  });

  test("an empty emulator says what to do", async () => {
    await page.getByText("No sessions yet.").waitFor();
    const commands = await page.locator("#example").textContent();
    assert.ok(commands.includes(`${emulator.url}/v1/accounts/$ARR_ACCOUNT_ID/sessions/create`), commands);
    assert.ok(!commands.includes(emulator.ready.account_key));
    assert.ok(await page.getByText("No requests yet.").isVisible());
    assert.equal(await page.locator("#address").textContent(), emulator.url);
    assert.equal(await page.title(), "arr-emulator");
  });

  test("the commands for a first session work", async () => {
    const commands = await page.locator("#example").textContent();
    const { execFile } = await import("node:child_process");
    const { ARR_ACCOUNT_ID, ARR_ACCOUNT_KEY } = { ARR_ACCOUNT_ID: emulator.ready.account_id, ARR_ACCOUNT_KEY: emulator.ready.account_key };
    const env = { PATH: process.env.PATH, ARR_ACCOUNT_ID, ARR_ACCOUNT_KEY, NO_PROXY: "*" };
    const output = await new Promise((resolve, reject) => {
      execFile("sh", ["-c", commands], { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
    const { sessionId } = JSON.parse(output);
    await sessionRow(sessionId).waitFor();
    assert.ok(await page.getByText("No sessions yet.").isHidden());
  });

  test("sessions appear live, with state, host, account and lease", async () => {
    const id = await emulator.create("2:0:0");
    await becomes(id, "Ready");
    const text = await sessionRow(id).textContent();
    for (const part of [emulator.ready.account_id, "remoterenderingvm.westeurope.mixedreality.azure.com", "standard", "1 h 59 min left", "2 h"]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
  });

  test("the lease bar runs down with the clock", async () => {
    const id = await emulator.create("1:0:0");
    await becomes(id, "Ready");
    const fill = sessionRow(id).locator(".fill");
    const share = async () => Number(/scaleX\(([\d.]+)\)/.exec(await fill.getAttribute("style"))[1]);
    assert.ok(await share() > 0.99);
    await emulator.control("POST", "/clock", { advance_ms: 30 * 60_000 });
    await until(async () => await share() < 0.5, "half is left");
    await emulator.control("POST", "/clock", { advance_ms: 28 * 60_000 });
    await until(async () => await fill.getAttribute("data-level") === "critical", "it is critical");
    await emulator.control("POST", "/clock", { advance_ms: 2 * 60_000 });
    await becomes(id, "Expired");
    assert.match(await sessionRow(id).textContent(), /The maximum lease time of 01:00:00 has passed/);
  });

  test("a session can be extended, stopped, expired and failed", async () => {
    const [stopped, expired, failed] = [await emulator.create(), await emulator.create(), await emulator.create()];
    await becomes(failed, "Ready");
    await button(failed, "+10 min").click();
    await until(async () => (await sessionRow(failed).locator(".whole").textContent()) === "4 h 10 min", "+10 min");
    await button(failed, "+1 h").click();
    await until(async () => (await sessionRow(failed).locator(".whole").textContent()) === "5 h 10 min", "+1 h");
    await button(expired, "Expire").click();
    await becomes(expired, "Expired");
    assert.equal(await emulator.status(expired), "Expired");
    await button(failed, "Fail").click();
    await becomes(failed, "Error");
    assert.equal(await button(failed, "Stop").count(), 0, "an ended session has no such button");
    // It takes --stopping, as for a client.
    await button(stopped, "Stop").click();
    await becomes(stopped, "Stopping");
    await button(stopped, "Finish").click();
    await becomes(stopped, "Stopped");
    assert.equal(await emulator.status(stopped), "Stopped");
    await page.getByLabel("Show ended").uncheck();
    await until(async () => await sessionRow(stopped).count() === 0, "ended ones are hidden");
  });

  test("requests appear with status, duration, MS-CV and fault, and are filtered", async () => {
    const [one, two] = [await emulator.create(), await emulator.create()];
    const reply = await emulator.read(one);
    await emulator.read(two);
    await emulator.control("POST", "/faults", { rules: [{ path: "**/properties", action: { type: "close" } }] });
    await emulator.read(one).catch(() => {});
    await page.getByLabel("Search").fill(reply.headers.get("ms-cv"));
    await until(async () => await requestRows().count() === 1, "the one with this MS-CV");
    const text = await requestRows().first().textContent();
    assert.match(text, new RegExp(`GET.*/sessions/${one}/properties.*200.*\\d ms`, "s"));

    await page.getByLabel("Search").fill("");
    await button(one, "Requests").click();
    // Its create, whose path does not have the id, and two reads.
    await until(async () => await requestRows().count() === 3, "those of one session");
    const cells = await requestRows().first().locator("td").allTextContents();
    assert.ok(cells[2].includes("fault: close") && cells[3] === "cut off", String(cells));
    assert.equal(await button(one, "Requests").getAttribute("aria-pressed"), "true");
    await page.getByRole("combobox", { name: "Session", exact: true }).selectOption(two);
    await until(async () => await requestRows().count() === 2, "those of the other");
    await page.getByLabel("Search").fill("no such thing");
    await page.getByText("No request matches.").waitFor();
  });

  test("the list can be paused, and the record cleared", async () => {
    await emulator.send("GET", emulator.sessions);
    await until(async () => await requestRows().count() === 2, "with that for a token");
    await page.getByRole("button", { name: "Pause" }).click();
    await emulator.send("GET", emulator.sessions);
    await page.getByRole("button", { name: "Resume (1 new)" }).click();
    await until(async () => await requestRows().count() === 3, "the new one");
    await page.getByRole("button", { name: "Clear record" }).click();
    await page.getByText("No requests yet.").waitFor();
    assert.deepEqual(await emulator.control("GET", "/requests"), { requests: [] });
  });

  test("each fault can be injected and taken back", async () => {
    const select = page.getByRole("combobox", { name: "Fault", exact: true });
    const types = await select.locator("option").evaluateAll((options) => options.map((option) => option.value));
    const documented = ["delay", "status", "close", "reset", "truncate", "drip", "stall", "content_type", "garbage", "oversize", "redirect", "close_on_accept"];
    assert.deepEqual([...types].sort(), documented.sort());
    const rules = async () => (await emulator.control("GET", "/faults")).rules.map((rule) => rule.action.type);
    for (const [index, type] of types.entries()) {
      await select.selectOption(type);
      // The next connections are the browser's own.
      if (type === "close_on_accept") await page.getByLabel("Skip first").fill("1000");
      await page.getByRole("button", { name: "Inject", exact: true }).click();
      await until(async () => (await rules()).length === index + 1, `${type} is injected`);
    }
    assert.deepEqual(await rules(), types);
    const items = page.locator("#fault-list li");
    await until(async () => await items.count() === types.length, "all are shown");
    for (const [index, type] of types.entries()) {
      const item = items.filter({ has: page.locator(".kind", { hasText: new RegExp(`^${type.replaceAll("_", " ")}$`) }) });
      await item.getByRole("button", { name: "Remove" }).click();
      await until(async () => (await rules()).length === types.length - index - 1, `${type} is removed`);
      assert.ok(!(await rules()).includes(type));
    }
    await page.getByText("None is active: every").waitFor();
  });

  test("a fault has the values of the form, and does what they say", async () => {
    await page.getByRole("combobox", { name: "Fault", exact: true }).selectOption("status");
    await page.locator("[name=field-status]").fill("429");
    await page.getByLabel("Retry-After").fill("7");
    await page.getByRole("combobox", { name: "Calls" }).selectOption({ label: "List" });
    await page.getByLabel("Times").fill("2");
    await page.getByLabel("Skip first").fill("1");
    await page.getByLabel("Carry out the call first").check();
    await page.getByRole("button", { name: "Inject", exact: true }).click();
    await page.getByText("skips 1, then 2 left; matched 0").waitFor();
    const { rules: [rule] } = await emulator.control("GET", "/faults");
    assert.deepEqual([rule.method, rule.path, rule.times, rule.skip], ["GET", "/v1/accounts/*/sessions", 2, 1]);
    assert.deepEqual(rule.action, { type: "status", status: 429, headers: { "Retry-After": "7" }, body: "", execute: true });
    const list = () => emulator.send("GET", emulator.sessions);
    assert.equal((await list()).status, 200);
    const second = await list();
    assert.deepEqual([second.status, second.headers.get("retry-after")], [429, "7"]);
    await page.getByText("1 left; matched 2").waitFor();
    await page.getByRole("combobox", { name: "Calls" }).selectOption("other");
    await page.getByLabel("Path").fill("nowhere");
    await page.getByRole("button", { name: "Inject", exact: true }).click();
    await page.getByText(/Refused: fault rule 1: path must begin/).waitFor();
    assert.equal(page.problems.splice(0).length, 1, "the browser reports the 400");
    await page.getByRole("button", { name: "Remove all" }).click();
    await page.getByText("None is active: every").waitFor();
  });

  test("the clock moves", async () => {
    const time = async () => (await emulator.control("GET", "/clock")).time_ms;
    let before = await time();
    for (const [name, ms] of [["+1 min", 60_000], ["+10 min", 600_000], ["+1 h", 3_600_000]]) {
      await page.getByRole("button", { name: `${name}: move the clock` }).click();
      const moved = await until(async () => (await time()) - before >= ms && time(), name);
      assert.ok(moved - before < ms + PATIENCE);
      before = moved;
    }
    const shown = async () => Date.parse(await page.locator("#clock").getAttribute("datetime"));
    await until(async () => Math.abs((await emulator.control("GET", "/clock")).unix_ms - await shown()) < PATIENCE, "it is shown");
  });

  test("the keyboard suffices, and the focus stays", async () => {
    const id = await emulator.create();
    await becomes(id, "Ready");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to requests");
    const name = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? "");
    const tabTo = async (wanted) => {
      for (let presses = 0; presses < 200; presses += 1) {
        if (await name() === wanted) return;
        await page.keyboard.press("Tab");
      }
      assert.fail(`no Tab leads to ${wanted}`);
    };
    await tabTo(`+10 min: session ${id}`);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid");
    await page.keyboard.press("Space");
    await until(async () => (await sessionRow(id).locator(".whole").textContent()) === "4 h 10 min", "it is extended");
    const another = await emulator.create();
    await becomes(another, "Ready");
    assert.equal(await name(), `+10 min: session ${id}`, "a new row above does not take the focus");
    await tabTo(`Fail: session ${id}`);
    await page.keyboard.press("Enter");
    await becomes(id, "Error");
    assert.equal(await name(), `Requests: session ${id}`, "the focus moves to the button that is left");
  });

  test("hostile texts are shown as texts", async () => {
    const hostile = "<img src=x onerror=document.title='owned'>";
    await emulator.createAs("__proto__");
    await emulator.createAs("constructor");
    const head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    for (const path of ["/<script>document.title='owned'</script>", "/\"'><svg/onload=document.title='owned'>", "/x?javascript:document.title='owned'"]) {
      await emulator.sendRaw(`GET ${path} ${head}MS-CV: ${hostile}\r\n\r\n`);
    }
    await emulator.control("POST", "/faults", { rules: [
      { path: `/${hostile}`, action: { type: "status", headers: { "MS-CV": hostile }, body: hostile } },
      { path: "/owned", action: { type: "status", headers: { "MS-CV": hostile } } },
      { path: "/b", action: { type: "content_type", content_type: hostile } },
    ] });
    await fetch(`${emulator.url}/owned`);
    const failed = await emulator.create();
    await emulator.control("POST", `/sessions/${failed}`, { status: "Error", message: hostile });
    await until(async () => (await sessionRow(failed).textContent()).includes(hostile), "the message");
    await until(async () => (await page.locator("#requests tbody").textContent()).includes(hostile), "the MS-CV");
    await until(async () => (await page.locator("#fault-list").textContent()).includes(hostile), "the fault");
    for (const id of ["__proto__", "constructor"]) await becomes(id, "Ready");
    await button("__proto__", "Requests").click();
    await until(async () => await requestRows().count() === 1, "its create");
    assert.equal(await page.title(), "arr-emulator");
    assert.equal(await page.locator("img[src=x], script:not([src]), svg[onload]").count(), 0);
  });

  test("no key and no token is in the page or what it loads", async () => {
    const bodies = [];
    page.on("response", async (reply) => {
      if (!reply.url().endsWith("/events")) bodies.push(await reply.text().catch(() => ""));
    });
    await emulator.create();
    await page.reload();
    await page.locator("#connection[data-state=live]").waitFor();
    const all = bodies.join() + await page.content();
    assert.ok(bodies.length >= 3);
    for (const secret of [emulator.ready.account_key, emulator.token]) assert.ok(!all.includes(secret));
  });

  test("dark and light follow the system", async () => {
    const ground = async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    };
    const brightness = (color) => color.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
    assert.ok(brightness(await ground("dark")) < 120 && brightness(await ground("light")) > 660);
  });

  test("a phone of 360 px scrolls in one direction only", async () => {
    await emulator.createAs("x".repeat(256));
    await emulator.control("POST", "/faults", { rules: [{ path: `/${"y".repeat(300)}`, action: { type: "stall" } }] });
    await fetch(`${emulator.url}/${"z".repeat(900)}`);
    await emulator.sendRaw(`${"M".repeat(64)} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const phone = await open(browser, emulator, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await phone.getByText("x".repeat(256)).first().waitFor();
    await phone.getByText("Inject a fault").click();
    const [width, view] = await phone.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.deepEqual([width, view], [360, 360]);
    const small = await phone.locator("button:visible").evaluateAll((buttons) => (
      buttons.map((it) => [it.textContent, it.getBoundingClientRect().height]).filter(([, height]) => height < 36)));
    assert.deepEqual(small, []);
    await phone.context().close();
  });

  test("many requests cost the page no more than its limit", async () => {
    const count = 400;
    for (let sent = 0; sent < count; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, () => fetch(`${emulator.url}/many`).then((reply) => reply.text())));
    }
    await until(async () => (await page.locator("#request-count").textContent()) === "200", "the newest 200");
    assert.equal(await requestRows().count(), 200);
  });

  test("another site cannot use, embed or read the page", async () => {
    const server = createServer((request, reply) => {
      reply.setHeader("Content-Type", "text/html").end(`<!doctype html><title>foreign</title><iframe src="${emulator.url}/"></iframe>`);
    });
    await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
    const { port } = server.address();
    const before = (await emulator.control("GET", "/clock")).time_ms;
    const context = await browser.newContext();
    try {
      // Another port is another origin of the same site; another name is another site. Neither is in Host.
      for (const host of ["127.0.0.1", "localhost"]) {
        const foreign = await context.newPage();
        await foreign.goto(`http://${host}:${port}/`);
        const results = await foreign.evaluate(async (url) => {
          const attempt = (promise) => promise.then((reply) => reply.type, () => "refused");
          const body = JSON.stringify({ advance_ms: 3_600_000 });
          const frame = document.createElement("iframe");
          frame.sandbox = "allow-scripts";
          frame.srcdoc = `<script>fetch("${url}/emulator/clock", {method: "POST", mode: "no-cors", body: '${body}'})<\/script>`;
          document.body.append(frame);
          await new Promise((resolve) => { frame.onload = resolve; });
          const events = await new Promise((resolve) => {
            const source = new EventSource(`${url}/emulator/events`);
            source.onopen = () => resolve("open");
            source.onerror = () => resolve("refused");
          });
          return [
            await attempt(fetch(`${url}/emulator/sessions`)),
            await attempt(fetch(`${url}/emulator/clock`, { method: "POST", body })),
            await attempt(fetch(`${url}/emulator/clock`, { method: "POST", mode: "no-cors", body })),
            events,
          ];
        }, emulator.url);
        assert.deepEqual(results, ["refused", "refused", "refused", "refused"]);
        assert.ok(foreign.frames().every((frame) => !frame.url().startsWith(emulator.url)), "no frame has the page");
        const link = await context.newPage();
        await link.goto(`http://${host}:${port}/`);
        await link.evaluate((url) => { location.href = url; }, emulator.url);
        await link.getByText("not for web pages other than").waitFor();
      }
      const passed = (await emulator.control("GET", "/clock")).time_ms - before;
      assert.ok(passed < 3_600_000, `the clock moved by ${passed} ms`);
    } finally {
      await context.close();
      server.close();
    }
  });
});

describe("accessibility", { concurrency: false }, () => {
  before(async () => {
    emulator = await Emulator.start("--startup", "0s");
    await emulator.control("POST", "/faults", { rules: [{ path: "/never", times: 0, action: { type: "reset" } },
      { method: "GET", path: "**/nobody/properties", times: 1, action: { type: "status" } }] });
    const [, ended] = [await emulator.create(), await emulator.create()];
    await emulator.control("POST", `/sessions/${ended}`, { status: "Error" });
    for (const path of ["", "/nobody/properties", "/nobody"]) await emulator.send("GET", emulator.sessions + path);
  });
  after(() => emulator.stop());

  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds nothing to criticise: ${colorScheme}, desktop and phone`, async () => {
      for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
        const view = await open(browser, emulator, { colorScheme, viewport, bypassCSP: true });
        await view.locator("#sessions tbody tr").nth(1).waitFor();
        await view.locator("#requests tbody tr").first().waitFor();
        await view.addScriptTag({ content: AXE });
        const { violations, passes } = await view.evaluate(() => globalThis.axe.run());
        assert.deepEqual(violations.map(({ id: rule, nodes }) => [rule, nodes.map(({ html }) => html)]), []);
        assert.ok(passes.length > 20, `${passes.length} rules`);
        await view.context().close();
      }
    });
  }

  test("axe finds nothing to criticise without sessions and requests", async () => {
    await emulator.restart();
    const view = await open(browser, emulator, { bypassCSP: true });
    await view.getByText("No sessions yet.").waitFor();
    await view.addScriptTag({ content: AXE });
    const { violations } = await view.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
    await view.context().close();
  });
});

describe("the connection", { concurrency: false }, () => {
  test("the page reconnects to an emulator that restarts, and shows the new state", async () => {
    emulator = await Emulator.start("--startup", "0s");
    page = await open(browser, emulator);
    try {
      const old = await emulator.create();
      await sessionRow(old).waitFor();
      await emulator.end();
      await page.locator("#connection[data-state=reconnecting]").waitFor();
      await page.getByRole("button", { name: "+1 min: move the clock" }).click();
      await page.getByText("The emulator does not answer.").waitFor();
      await emulator.run(new URL(emulator.url).host, emulator.options);
      await page.locator("#connection[data-state=live]").waitFor();
      await until(async () => await sessionRow(old).count() === 0, "the old session is gone");
      await page.getByText("No requests yet.").waitFor();
      const id = await emulator.create();
      await becomes(id, "Ready");
    } finally {
      await page.context().close();
      await emulator.stop();
    }
  });

  test("over HTTPS and with a fast clock it is the same", async () => {
    emulator = await Emulator.start("--tls", "--ca-file", `${process.env.TMPDIR ?? "/tmp"}/arr-page-${process.pid}.pem`, "--time-scale", "60");
    page = await open(browser, emulator, { ignoreHTTPSErrors: true });
    try {
      await page.getByText("60 times as fast").waitFor();
      await page.getByRole("combobox", { name: "Fault", exact: true }).selectOption("reset");
      await page.getByRole("button", { name: "Inject", exact: true }).click();
      await page.getByText("1 left; matched 0").waitFor();
      assert.ok((await page.locator("#example").textContent()).includes("--cacert"));
    } finally {
      await page.context().close();
      await emulator.stop();
    }
  });
});
