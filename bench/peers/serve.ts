// One contender as a process: makes sessions, says where it listens, serves, and reports on itself when it is asked.
// `serve.ts SETTING`, in JSON; places.ts starts it. Add here what else a server can say of itself.

import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { announce, replies } from "../measuring/servers.ts";
import { apps } from "./apps.ts";
import type { ServeSetting } from "./contender.ts";

/** Sessions that are made at the same time. */
const AT_ONCE = 20;

const setting = JSON.parse(process.argv[2] ?? "") as ServeSetting;
const makeApp = apps[setting.framework];
if (makeApp === undefined) throw new Error(`There is no app for ${setting.framework}.`);

let statements = 0;
if (setting.countsStatements && setting.backend === "sqlite") countStatements();
const server = await makeApp(setting);
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;

const cookies: string[] = [];
while (cookies.length < setting.sessions) cookies.push(...(await makeSessions(setting.sessions - cookies.length)));

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
Object.assign(replies, {
  statements: () => statements,
  heap: () => {
    collectGarbage();
    return process.memoryUsage().heapUsed + process.memoryUsage().external;
  },
  async make(amount: number) {
    for (let left = amount; left > 0; left -= AT_ONCE) await makeSessions(left);
  },
  /** The longest pause of the event loop since the last time, in milliseconds. The resolution of 1 is part of it. */
  pause: () => {
    const longest = delay.max / 1e6;
    delay.reset();
    return longest;
  },
});
announce({ port, cookies });

/** Makes a few at the same time, `wanted` at most. */
function makeSessions(wanted: number): Promise<string[]> {
  return Promise.all(Array.from({ length: Math.min(wanted, AT_ONCE) }, makeSession));
}

/** Resolves to the Cookie header that brings it back. */
async function makeSession(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/make`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${setting.who} made no session: ${text}`);
  const lines = response.headers.getSetCookie();
  return lines.map((line) => line.split(";", 1)[0]).join("; ");
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

/** SQLite's statements go over no wire. */
function countStatements(): void {
  const Database = createRequire(join(setting.project, "package.json"))("better-sqlite3");
  const prototype = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1"));
  for (const name of ["get", "run", "all"]) {
    const original = prototype[name];
    prototype[name] = function counted(this: unknown, ...values: unknown[]) {
      statements++;
      return original.apply(this, values);
    };
  }
}
