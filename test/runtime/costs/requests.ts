// Run as a process of its own, in a project: does each kind of request, and says what it allocated.
// `requests.ts PROJECT`; measure.ts starts it with the flags that make the figures the same in every run.

import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { GCProfiler, getHeapStatistics } from "node:v8";
import type { ResponseHeaders } from "../../../runtime/src/session/response-headers.ts";
import type { Session } from "../../../runtime/src/session/session.ts";
import type { Sessions } from "../../../runtime/src/session/sessions.ts";

const WARM_UP = 50;
/** Requests whose traffic is counted, one after the other. */
const COUNTED = 20;
/** Requests whose allocations are counted. */
const MEASURED = 50;

const [project = ""] = process.argv.slice(2);
const load = (path: string) => import(join(project, "src", path));
const config = (await load("config.ts")).readConfig(process.env);
const { createDriver } = await load("store/driver.ts");
const { Sessions: Runtime } = (await load("session/sessions.ts")) as { Sessions: typeof Sessions };

let now = Math.floor(Date.now() / 1000);
const sessions = new Runtime({
  driver: createDriver(config.store, config.session.storeTimeout),
  settings: config.session,
  clock: () => now * 1000,
});
await sessions.ready("auto", config.startTimeout, console.error);

let cookie: string | undefined;
const headers: ResponseHeaders = {
  get: () => undefined,
  set: () => undefined,
  remove: () => undefined,
  appendCookie: (line) => {
    cookie = line.split(";", 1)[0];
  },
};

/** What an adapter does, from the request to the headers of its response. */
async function request(handle: (session: Session) => unknown): Promise<void> {
  const begun = await sessions.begin({
    raw: {},
    method: "GET",
    url: "/",
    host: "app.example",
    remoteAddress: "192.0.2.1",
    isHttps: false,
    header: (name) => (name === "cookie" ? cookie : name === "user-agent" ? "test" : undefined),
  });
  if (begun.refusal !== undefined) throw begun.refusal;
  await handle(begun.session);
  await begun.complete(200, headers);
  begun.writeHeaders(headers);
}

const data = (session: Session) => session.data as Record<string, unknown>;
const filler = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, "x".repeat(38)]));
let count = 0;

const kinds: Record<string, () => Promise<void>> = {
  anonymous: async () => {
    const kept = cookie;
    cookie = undefined;
    await request((session) => session.exists);
    cookie = kept;
  },
  read: () => request((session) => data(session).count),
  "read, touch due": () => {
    now += 61;
    return request((session) => data(session).count);
  },
  write: () =>
    request((session) => {
      data(session).count = ++count;
    }),
  "sign-in": () => request((session) => session.signIn("ann")),
};

/** The statements of a store in this process. */
let statements = 0;
function countStatements(): () => void {
  const require = createRequire(join(project, "package.json"));
  if (!process.env.SQLITE_FILE) return () => undefined;
  const Database = require("better-sqlite3");
  const prototype = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1"));
  const originals = { get: prototype.get, run: prototype.run, all: prototype.all };
  for (const [name, original] of Object.entries(originals)) {
    prototype[name] = function counted(this: unknown, ...values: unknown[]) {
      statements++;
      return original.apply(this, values);
    };
  }
  return () => void Object.assign(prototype, originals);
}

/** The parent reads its counters of the wire before it replies. */
async function tell(message: object): Promise<void> {
  const reply = once(process, "message");
  process.send?.(message);
  await reply;
}

function allocated(): number {
  return getHeapStatistics().used_heap_size;
}

await request((session) => Object.assign(data(session), filler, { count: 0 }));
for (const [kind, run] of Object.entries(kinds)) {
  for (let warm = 0; warm < WARM_UP; warm++) await run();
  await tell({ begin: kind });
  const restore = countStatements();
  statements = 0;
  for (let counted = 0; counted < COUNTED; counted++) await run();
  restore();
  await tell({ end: kind, requests: COUNTED, statements });
  const profiler = new GCProfiler();
  profiler.start();
  const before = allocated();
  for (let measured = 0; measured < MEASURED; measured++) await run();
  const bytes = (allocated() - before) / MEASURED;
  if (profiler.stop()?.statistics.length !== 0)
    throw new Error("There was a garbage collection; give the process more room.");
  await tell({ allocated: kind, bytes });
}
await sessions.close();
process.disconnect?.();
