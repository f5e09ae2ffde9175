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
/** Requests in a batch whose allocations are counted together. */
const MEASURED = 20;
/** V8 and Node allocate and free something of their own now and then; the median is a batch without it. */
const BATCHES = 9;
/** They do so most often after the first collections of a process. */
const BATCHES_BEFORE = 20;

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

const kinds = {
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

/** In bytes, the mean of one batch. */
async function allocatedPerRequest(run: () => Promise<void>): Promise<number> {
  // A collection before each batch leaves room for it, so that none comes in the middle and the heap only grows.
  globalThis.gc?.();
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  for (let measured = 0; measured < MEASURED; measured++) await run();
  const bytes = (getHeapStatistics().used_heap_size - before) / MEASURED;
  if (profiler.stop()?.statistics.length !== 0)
    throw new Error("There was a garbage collection; give the process more room.");
  return bytes;
}

await request((session) => Object.assign(data(session), filler, { count: 0 }));
for (let batch = 0; batch < BATCHES_BEFORE; batch++) await allocatedPerRequest(kinds.anonymous);
for (const [kind, run] of Object.entries(kinds)) {
  for (let warm = 0; warm < WARM_UP; warm++) await run();
  await tell({ begin: kind });
  const restore = countStatements();
  statements = 0;
  for (let counted = 0; counted < COUNTED; counted++) await run();
  restore();
  await tell({ end: kind, requests: COUNTED, statements });
  const batches: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) batches.push(await allocatedPerRequest(run));
  const bytes = batches.sort((a, b) => a - b)[(BATCHES - 1) / 2];
  await tell({ allocated: kind, bytes });
}
await sessions.close();
process.disconnect?.();
