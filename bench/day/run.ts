// A day of a busy site, by a clock that runs as fast as the machine: the same visits through our sessions and through
// express-session, each in SQLite. `npm run bench -- day [--visitors N] [--out FOLDER]`

import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { mock } from "node:test";
import { parseArgs } from "node:util";
import type { RequestHandler } from "express";
import { assemble } from "../../test/http/assemble.ts";
import { conditions, RESULTS, save } from "../measuring/results.ts";
import { type Action, requestsOfDay } from "./visits.ts";

/** At a full hour. */
export interface Hour {
  hour: number;
  rows: number;
  /** Statements that have written since the hour before. */
  writes: number;
}

export interface Day {
  visitors: number;
  requests: Record<Action | "crawler", number>;
  /** By contender. */
  days: Record<string, { hours: Hour[]; statements: number; writes: number; bytes: number; signedOut: number }>;
}

interface Contender {
  /** By its own default. */
  purgeEvery: number;
  /** Does one request with this Cookie header, and resolves to the cookie afterwards. */
  request(action: Action, cookie: string | undefined): Promise<string | undefined>;
  purge(): Promise<unknown>;
  rows(): number;
  close(): Promise<void>;
}

const { values } = parseArgs({
  options: { visitors: { type: "string", default: "10000" }, out: { type: "string", default: RESULTS } },
});
const start = await conditions();
const HOUR_MS = 3_600_000;
const QUARTER_MS = HOUR_MS / 4;
/** A day and a half: sessions of the day have expired by then. */
const HOURS = 36;
const DAWN = Date.UTC(2030, 0, 7);
const TWO_HOURS = 7200;
const here = createRequire(import.meta.url);
const project = await assemble({ framework: "express", backend: "sqlite" }, "bench");
const Database = createRequire(join(project, "package.json"))("better-sqlite3");
const counted = { statements: 0, writes: 0 };
countStatements();

const visits = requestsOfDay(Number(values.visitors), DAWN);
const requests = { read: 0, write: 0, "sign-in": 0, crawler: 0 };
for (const { action, visitor } of visits) requests[visitor === undefined ? "crawler" : action]++;
const day: Day = { visitors: Number(values.visitors), requests, days: {} };
for (const [name, make] of Object.entries({ ours, "express-session": expressSession })) {
  day.days[name] = await liveThrough(make);
  const { statements, writes, signedOut, bytes } = day.days[name];
  console.log(
    `${name}: ${statements} statements, ${writes} of them write; ${bytes} bytes; ${signedOut} signed out too early`,
  );
  console.table(day.days[name].hours.filter(({ hour }) => hour % 3 === 0));
}
save(values, "day", { ...start, ...day });
process.exit(0);

async function liveThrough(make: (folder: string) => Promise<Contender>): Promise<Day["days"][string]> {
  const folder = mkdtempSync(join(tmpdir(), "day-"));
  mock.timers.enable({ apis: ["Date"], now: DAWN });
  const contender = await make(folder);
  Object.assign(counted, { statements: 0, writes: 0 });
  const cookies = new Map<number, string>();
  const hours: Hour[] = [];
  let signedOut = 0;
  let next = DAWN + QUARTER_MS;
  let writesBefore = 0;
  const passHours = async (until: number) => {
    for (; next <= until; next += QUARTER_MS) {
      mock.timers.setTime(next);
      if ((next - DAWN) % contender.purgeEvery === 0) await contender.purge();
      if ((next - DAWN) % HOUR_MS !== 0) continue;
      hours.push({ hour: (next - DAWN) / HOUR_MS, rows: contender.rows(), writes: counted.writes - writesBefore });
      writesBefore = counted.writes;
    }
  };
  for (const { time, visitor, action } of visits) {
    await passHours(time);
    mock.timers.setTime(time);
    const cookie = visitor === undefined ? undefined : cookies.get(visitor);
    const after = await contender.request(action, cookie);
    if (visitor === undefined || after === undefined) continue;
    // Another one, although no sign-in has renewed it.
    if (cookie !== undefined && after !== cookie && action !== "sign-in") signedOut++;
    cookies.set(visitor, after);
  }
  await passHours(DAWN + HOURS * HOUR_MS);
  await contender.close();
  const bytes = statSync(join(folder, "sessions.db")).size;
  mock.timers.reset();
  rmSync(folder, { recursive: true });
  return { hours, ...counted, bytes, signedOut };
}

async function ours(folder: string): Promise<Contender> {
  process.env.SQLITE_FILE = join(folder, "sessions.db");
  const load = (path: string) => import(join(project, "src", path));
  const config = (await load("config.ts")).readConfig(process.env);
  const { createDriver } = await load("store/driver.ts");
  const { Sessions } = await load("session/sessions.ts");
  const { sessionMiddleware } = await load("session/adapter.ts");
  const settings = { ...config.session, idle: TWO_HOURS };
  const sessions = new Sessions({ driver: createDriver(config.store, 5000), settings, clock: () => Date.now() });
  await sessions.ready("auto", 10, console.error);
  type Session = { data: Record<string, unknown>; signIn(userid: string): Promise<void> };
  const act = async (session: Session, action: Action) => {
    if (action === "read") void session.data.cart;
    if (action === "write") session.data.cart = [...((session.data.cart as number[]) ?? []), Math.random()];
    if (action === "sign-in") await session.signIn("ann");
  };
  const counting = new Database(join(folder, "sessions.db"));
  return {
    purgeEvery: HOUR_MS,
    request: through(sessionMiddleware(sessions), (request, action) =>
      act((request as unknown as { session: Session }).session, action),
    ),
    purge: () => sessions.purge(),
    rows: () => rowsIn(counting, "sessions"),
    close: async () => {
      counting.close();
      await sessions.close();
    },
  };
}

async function expressSession(folder: string): Promise<Contender> {
  const session = here("express-session");
  const database = new Database(join(folder, "sessions.db"));
  database.pragma("journal_mode = WAL");
  // Its SQL asks SQLite for the time, which is the machine's: it gets ours instead.
  database.function("bench_now", () => new Date().toISOString());
  const onOurClock = {
    exec: (sql: string) => database.exec(sql),
    prepare: (sql: string) => database.prepare(sql.replaceAll(/datetime\('now'\)/g, "datetime(bench_now())")),
  };
  const Store = here("better-sqlite3-session-store")(session);
  const store = new Store({ client: onOurClock, expired: { clear: false } });
  const cookie = { maxAge: TWO_HOURS * 1000 };
  const middleware = session({ secret: "a secret", resave: false, saveUninitialized: false, store, cookie });
  type Request = { session: Record<string, unknown> & { regenerate(done: (error?: unknown) => void): void } };
  const act = async (given: unknown, action: Action) => {
    const request = given as Request;
    if (action === "read") void request.session.cart;
    if (action === "write") request.session.cart = [...((request.session.cart as number[]) ?? []), Math.random()];
    if (action !== "sign-in") return;
    // As its documentation says, with the data taken along by hand.
    const { cart } = request.session;
    await new Promise<void>((resolve, reject) =>
      request.session.regenerate((error) => (error ? reject(error) : resolve())),
    );
    Object.assign(request.session, { user: "ann", cart });
  };
  return {
    purgeEvery: QUARTER_MS,
    request: through(middleware, act),
    purge: async () => store.clearExpiredSessions(),
    rows: () => rowsIn(database, "sessions"),
    close: async () => database.close(),
  };
}

/** A request through a middleware without a network: with Node's own request and response on a socket that leads nowhere. */
function through(
  middleware: RequestHandler,
  act: (request: IncomingMessage, action: Action) => Promise<void>,
): Contender["request"] {
  return async (action, cookie) => {
    const socket = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() }) as Socket;
    const request = new IncomingMessage(socket);
    Object.assign(request, { method: "GET", url: "/", originalUrl: "/" });
    request.headers = { host: "localhost", "user-agent": "test", ...(cookie !== undefined && { cookie }) };
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    await new Promise<void>((resolve, reject) => {
      middleware(request as never, response as never, (error?: unknown) => (error ? reject(error) : resolve()));
    });
    await act(request, action);
    const finished = once(response, "finish");
    response.end("hello");
    await finished;
    const line = [response.getHeader("set-cookie") ?? []].flat().at(-1);
    return line === undefined ? cookie : String(line).split(";", 1)[0];
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a package of the project, which this folder has no types of.
function rowsIn(database: any, table: string): number {
  const { statements } = counted;
  const rows = database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  counted.statements = statements;
  return rows;
}

function countStatements(): void {
  const prototype = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1"));
  for (const name of ["get", "run", "all"]) {
    const original = prototype[name];
    prototype[name] = function counting(this: { source: string }, ...given: unknown[]) {
      counted.statements++;
      if (/^\s*(?:INSERT|UPDATE|DELETE)/i.test(this.source)) counted.writes++;
      return original.apply(this, given);
    };
  }
}
