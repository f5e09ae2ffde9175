// What one request sends to the store, and what one session takes there. Neither needs a clock.
// Change it to count something else.

import { countingProxy } from "../../test/runtime/costs/wire.ts";
import { rounded } from "../measuring/results.ts";
import { ask, type Server, stop } from "../measuring/servers.ts";
import { type Match, routesOf } from "./matches.ts";
import { newName, type Place, SERVERS, startContender } from "./places.ts";
import { sizes } from "./sizes.ts";

/** What one request sends. */
export interface Traffic {
  framework: string;
  backend: string;
  who: string;
  route: string;
  statements: number;
  /** 0 in SQLite, as the bytes are: nothing leaves the process. */
  trips: number;
  bytes: number;
}

/** One request after the other, through a proxy that counts, on a server that is not measured. */
export async function trafficOf(match: Match, place: Place, who: string): Promise<Traffic[]> {
  const { framework, backend } = match;
  const name = SERVERS[backend];
  if (backend === "memory") return [];
  const wire = name === undefined ? undefined : await countingProxy(name, place.url);
  const options = { framework, who, sessions: 1, countsStatements: true };
  const server = await startContender({ ...place, url: wire?.url ?? place.url }, options);
  const found: Traffic[] = [];
  for (const route of routesOf(match, who)) {
    await visit(server, route, 20);
    await wire?.quiet();
    const before = await ask<number>(server, "statements");
    wire?.take();
    await visit(server, route, 50);
    const after = await ask<number>(server, "statements");
    const { statements, trips, bytes } = wire?.take() ?? { statements: after - before, trips: 0, bytes: 0 };
    const one = (total: number) => rounded(total / 50);
    found.push({
      ...{ framework, backend, who, route },
      ...{ statements: one(statements), trips: one(trips), bytes: one(bytes) },
    });
  }
  await stop([server]);
  wire?.close();
  return found;
}

async function visit({ port, cookies }: Server, route: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const response = await fetch(`http://127.0.0.1:${port}/${route}`, { headers: { cookie: cookies[0] ?? "" } });
    if (!response.ok) throw new Error(`/${route} responded with ${response.status}`);
    await response.text();
  }
}

/** What a session of 1 kB takes, indexes included; in the heap of the process where the store is in memory. */
export interface Footprint {
  framework: string;
  backend: string;
  who: string;
  sessions: number;
  bytes: number;
}

const SESSIONS = 4000;

/** Those written by hand and better-auth keep other data than the rest. */
const NOT_COMPARABLE = /^(?:bare|lookup|by hand|better-auth)$/;

/** Undefined where there is nothing to compare, or the store's size can't be read. */
export async function footprintOf(match: Match, place: Place, who: string): Promise<Footprint | undefined> {
  const { framework, backend } = match;
  const store = sizes[backend];
  if (NOT_COMPARABLE.test(who) || (store === undefined && backend !== "memory")) return undefined;
  const unique = newName();
  const server = await startContender(place, { framework, who, sessions: 0, unique });
  // What the first sessions make the process load and the store lay out is no session's.
  await ask(server, "make", 200);
  const size = (await store?.(place, unique)) ?? (() => ask<number>(server, "heap"));
  const before = await size();
  await ask(server, "make", SESSIONS);
  const bytes = Math.round(((await size()) - before) / SESSIONS);
  await stop([server]);
  return { framework, backend, who, sessions: SESSIONS, bytes };
}
