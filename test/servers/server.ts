// How tests get a real server: `server(name)` shares one with the whole run, `freshServer(name)` is the test's own to break.
// Change it when a server may be missing in CI, or is to be given by another environment variable.

import { spawn } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Order, Reply, ServerName, Started } from "./keeper.ts";

export type { ServerName } from "./keeper.ts";

export interface TestServer {
  readonly name: ServerName;
  readonly url: string;
  /** The addresses of a cluster's nodes. */
  readonly nodes?: string[];
  /** Whether data survives `restart`. */
  readonly keepsData: boolean;
  /** Shuts the server down properly and removes its data. A shared server stays until the run ends. */
  stop(): Promise<void>;
}

/** A server that only this test uses. `unit` is the index of a cluster's node; without it, all nodes are meant. */
export interface FreshServer extends TestServer {
  /** Makes it hang (SIGSTOP) until `resume`. */
  pause(unit?: number): Promise<void>;
  resume(unit?: number): Promise<void>;
  /** Kills it as a crash would (SIGKILL). `restart` brings it back. */
  kill(unit?: number): Promise<void>;
  /** Restarts it on the same port, with the same data if it `keepsData`. */
  restart(unit?: number): Promise<void>;
}

export interface FreshServerOptions {
  /** Whether confirmed writes survive `kill`, as far as this kind of server can do that. */
  durable?: boolean;
}

/** A server that the user gives comes first, so that the suites run against any version of it. */
const GIVEN: Record<string, string> = {
  postgres: "TEST_POSTGRES_URL",
  mysql: "TEST_MYSQL_URL",
  mariadb: "TEST_MARIADB_URL",
  redis: "TEST_REDIS_URL",
  couchdb: "TEST_COUCHDB_URL",
  mongodb: "TEST_MONGODB_URL",
};

/** Servers that no registry provides reliably: where they are missing, their tests are skipped visibly, even in CI. */
const MAY_BE_MISSING: ReadonlySet<string> = new Set(["mysql", "postgres15", "pgbouncer-newest"]);

/** The server of this kind that the whole run shares; undefined where there is none (in CI that throws). */
export async function server(name: ServerName): Promise<TestServer | undefined> {
  const given = GIVEN[name] && process.env[GIVEN[name]];
  if (given) return { name, url: given, keepsData: true, stop: async () => undefined };
  const started = await start(name, true, false);
  return started && { name, ...started, stop: async () => undefined };
}

/** A server that only this test uses; undefined where there is none (in CI that throws). */
export async function freshServer(
  name: ServerName,
  { durable = false }: FreshServerOptions = {},
): Promise<FreshServer | undefined> {
  const started = await start(name, false, durable);
  if (!started) return undefined;
  const { id, ...rest } = started;
  const order = (action: "pause" | "resume" | "kill" | "restart") => async (unit?: number) => {
    await send({ action, id, ...(unit !== undefined && { unit }) });
  };
  return {
    name,
    ...rest,
    stop: async () => void (await send({ action: "stop", id })),
    pause: order("pause"),
    resume: order("resume"),
    kill: order("kill"),
    restart: order("restart"),
  };
}

async function start(name: ServerName, shared: boolean, durable: boolean): Promise<Started | undefined> {
  if (process.env.TEST_WITHOUT_SERVERS) return undefined;
  const reply = await send({ action: "start", name, shared, durable });
  if ("started" in reply) return reply.started;
  const why = "unavailable" in reply ? reply.unavailable : "the keeper did not respond";
  if (process.env.CI && !MAY_BE_MISSING.has(name)) throw new Error(`no ${name} to test with: ${why}`);
  return undefined;
}

/** Resolves when the order was carried out or the server is unavailable; otherwise it rejects. */
async function send(order: Order): Promise<Reply> {
  if (!process.env.TEST_SERVERS) keeper ??= startKeeper();
  const socketPath = process.env.TEST_SERVERS ?? (await keeper);
  const body = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath, method: "POST", agent: false }, (response) => {
      text(response).then(resolve, reject);
    });
    call.on("error", reject);
    call.end(JSON.stringify(order));
  });
  const reply = JSON.parse(body) as Reply;
  if ("error" in reply) throw new Error(reply.error);
  return reply;
}

/** This process's own keeper, outside a run of the suites. */
let keeper: Promise<string> | undefined;

/** Starts the keeper; it ends with this process, however that ends. Resolves to the socket on which it listens. */
export function startKeeper(): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "keeper.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the keeper of the test servers ended with ${code}`)));
    child.stdout.once("data", (line: Buffer) => {
      resolve(`${line}`.trim());
      // Neither it nor its pipes keep this process from ending.
      child.unref();
      for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref(): void }).unref();
    });
  });
}
