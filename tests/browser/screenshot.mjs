// Takes pictures of the page, among them the one in docs/images (desktop-light): node screenshot.mjs FOLDER [empty].

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Emulator, launch, open } from "./support.mjs";

const folder = process.argv[2] ?? ".";
const emulator = await Emulator.start("--startup", "4s");
const browser = await launch();

if (process.argv[3] !== "empty") {
  const control = (...words) => emulator.control(...words);
  const failed = await emulator.create("1:0:0", "premium");
  await control("POST", "/clock", { advance_ms: 60_000 });
  await control("POST", `/sessions/${failed}`, { status: "Error", message: "The server caught fire." });
  const short = await emulator.create("0:20:0");
  await control("POST", "/clock", { advance_ms: 60_000 });
  await emulator.createAs("showroom-hololens-2", 240);
  await control("POST", "/clock", { advance_ms: 14 * 60_000 });
  await emulator.read(short);
  await control("POST", "/faults", { rules: [
    { method: "POST", path: "/v1/accounts/*/sessions/create", times: 1, action: { type: "status", status: 429, headers: { "Retry-After": "2" } } },
    { method: "GET", path: "**/properties", times: 2, action: { type: "close" } },
    { path: "/accounts/*/token", times: 0, action: { type: "delay", ms: 300 } },
  ] });
  await emulator.create();
  await emulator.create();
  await emulator.read(short).catch(() => {});
  await emulator.send("GET", emulator.sessions);
  await emulator.send("DELETE", `${emulator.sessions}/nobody`);
}

for (const [name, options] of [
  ["desktop-light", { colorScheme: "light" }],
  ["desktop-dark", { colorScheme: "dark" }],
  ["phone-light", { colorScheme: "light", viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 }],
  ["phone-dark", { colorScheme: "dark", viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 }],
]) {
  const page = await open(browser, emulator, options);
  await sleep(600);
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: name.startsWith("phone") });
  if (page.problems.length > 0) console.log(name, page.problems);
}
await browser.close();
await emulator.stop();
