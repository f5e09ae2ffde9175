// What a request costs a store and the process, without a clock: statements, round trips, bytes on the wire, bytes allocated.
// Change it to count something else; requests.ts says which requests there are.

import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureOf } from "../../drivers/fixtures.ts";
import { assemble } from "../../http/assemble.ts";
import { server } from "../../servers/server.ts";
import { countingProxy } from "./wire.ts";

/** For one request. */
export interface Cost {
  statements: number;
  roundTrips: number;
  /** On the wire, in both directions. */
  wireBytes: number;
  /** On the heap of V8. */
  allocatedBytes: number;
}

/** By the kind of request. */
export type Costs = Record<string, Cost>;

interface Message {
  begin?: string;
  end?: string;
  requests?: number;
  statements?: number;
  allocated?: string;
  bytes?: number;
}

/**
 * The young generation has room for all that a batch of requests allocates. Optimised code allocates less, from a moment on
 * that depends on the machine; without it every run gives the same figures.
 */
const FLAGS = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256", "--no-opt", "--no-maglev"];

/** Undefined where the backend's server can't be had. */
export async function measureCosts(backend: string): Promise<Costs | undefined> {
  const fixture = await fixtureOf(backend);
  const running = fixture.server === undefined ? undefined : await server(fixture.server);
  if (fixture.server !== undefined && running === undefined) return undefined;
  const project = await assemble({ framework: "node", backend }, "costs");
  const wire = fixture.server && running ? await countingProxy(fixture.server, running.url) : undefined;
  const folder = mkdtempSync(join(tmpdir(), "costs-"));
  const env = {
    PATH: process.env.PATH,
    ...fixture.environment(wire?.url, `costs_${process.pid}`),
    ...(backend === "sqlite" && { SQLITE_FILE: join(folder, "sessions.db") }),
  };
  const child = fork(join(import.meta.dirname, "requests.ts"), [project], { env, execArgv: FLAGS, cwd: folder });
  const costs: Costs = {};
  child.on("message", async ({ begin, end, requests = 1, statements = 0, allocated, bytes = 0 }: Message) => {
    // What the start has left to be done in the background doesn't belong to the requests.
    if (begin !== undefined) await wire?.quiet();
    const traffic = wire?.take() ?? { statements, trips: 0, bytes: 0 };
    if (begin !== undefined) costs[begin] = { statements: 0, roundTrips: 0, wireBytes: 0, allocatedBytes: 0 };
    const cost = costs[end ?? allocated ?? ""];
    if (end !== undefined && cost !== undefined) {
      cost.statements = Math.round(traffic.statements / requests);
      cost.roundTrips = Math.round(traffic.trips / requests);
      cost.wireBytes = Math.round(traffic.bytes / requests);
    }
    if (allocated !== undefined && cost !== undefined) cost.allocatedBytes = Math.round(bytes);
    child.send("counted");
  });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error(`The process that does the requests on ${backend} exited with ${code}.`);
    return costs;
  } finally {
    wire?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
