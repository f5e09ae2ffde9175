// The app as a whole: health, errors, security headers, and how the process starts and stops.
// Change it with src/main.ts and src/http/.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { environmentWith, type Running, startApp } from "./app.ts";
import { cleanUp } from "./store.ts";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));
const HTML = { accept: "text/html" };

let app: Running;

before(async () => {
  app = await startApp();
});

after(async () => {
  await app?.stop();
  await cleanUp();
});

test("it says whether it is well, and starts no session by that", async () => {
  const ready = await fetch(`${app.url}/health`);
  assert.deepEqual([ready.status, await ready.json()], [200, { store: "up" }]);
  assert.deepEqual(ready.headers.getSetCookie(), []);
  assert.equal((await fetch(`${app.url}/health/live`)).status, 200);
});

test("an unknown address is 404: a page for browsers, JSON for everyone else", async () => {
  const json = await fetch(`${app.url}/nothing`);
  assert.deepEqual([json.status, await json.json()], [404, { error: "There is nothing at this address." }]);
  const page = await fetch(`${app.url}/nothing`, { headers: HTML });
  assert.equal(page.status, 404);
  assert.match(await page.text(), /^<!doctype html>[\s\S]*<h1>/);
});

test("every response carries the security headers; in production browsers are told to stay with HTTPS", async (t) => {
  const production = await startApp({ NODE_ENV: "production" });
  t.after(() => production.stop());
  const { headers } = await fetch(`${production.url}/nothing`, { headers: HTML });
  assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  const [, seconds] = /max-age=(\d+)/.exec(headers.get("strict-transport-security") ?? "") ?? [];
  assert.ok(Number(seconds) >= 365 * 24 * 60 * 60);
  const development = await fetch(`${app.url}/nothing`, { headers: HTML });
  assert.equal(development.headers.get("strict-transport-security"), null);
});

test("it listens when it is started, and stops when it is asked to", async () => {
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: PROJECT,
    env: environmentWith(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /^Listening on (http:\S+)/.exec(line) ?? [];
    if (url === undefined) continue;
    assert.equal((await fetch(`${url}/health/live`)).status, 200);
    child.kill("SIGTERM");
  }
  const [code] = await exited;
  // On Windows a process can't be asked, only ended.
  if (process.platform !== "win32") assert.equal(code, 0);
});
