// One contender as a process: makes sessions, says where it listens, serves, and reports on itself when it is asked.
// `serve.ts SETTING`, in JSON; measure.ts starts it. Add here what else a server can say of itself.

import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { apps } from "./apps.ts";
import type { ServeSetting } from "./contender.ts";

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
for (let count = 0; count < setting.sessions; count++) {
  const response = await fetch(`http://127.0.0.1:${port}/make`);
  if (!response.ok) throw new Error(`${setting.who} made no session: ${await response.text()}`);
  await response.text();
  cookies.push(
    response.headers
      .getSetCookie()
      .map((line) => line.split(";", 1)[0])
      .join("; "),
  );
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on("message", (message) => {
  if (message === "usage") process.send?.(process.cpuUsage());
  if (message === "statements") process.send?.({ statements });
  if (message === "memory") process.send?.(process.memoryUsage());
  if (message === "delay") {
    // In milliseconds; the resolution is what an idle loop shows as well.
    process.send?.({ longest: delay.max / 1e6, p99: delay.percentile(99) / 1e6 });
    delay.reset();
  }
});
process.on("disconnect", () => process.exit(0));
process.send?.({ port, cookies });

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
