// What becomes of reads, and of listing and ending a user's sessions, when a store has ten thousand, a hundred thousand and a
// million sessions; what purging half of them does to requests; and several processes on one store.
// `npm run bench -- scale [--rows N] [--only TEXT] [--out FOLDER]`

import { join } from "node:path";
import { parseArgs } from "node:util";
import { step } from "../../scripts/step.ts";
import { compare, type Spread, warmUp } from "../measuring/compare.ts";
import { type Latency, offer, offerFor, offerInTurns } from "../measuring/load.ts";
import { failures, finish, part } from "../measuring/parts.ts";
import { conditions, othersBusy, RESULTS, rounded, save } from "../measuring/results.ts";
import { ask, type Server, stop } from "../measuring/servers.ts";
import { type Place, placeFor, startContender } from "../peers/places.ts";
import type { UserTimes } from "../peers/users.ts";
import { expireInRedis, type Filled, fill } from "./fill.ts";

const BACKENDS = ["sqlite", "postgres", "mysql", "redis"];
const FRAMEWORK = "express";
const PROCESSES = [1, 2, 4];
/** Users whose sessions are listed and ended. */
const USERS = 300;

type Ratio = Omit<Spread, "minimum">;

export interface Size {
  rows: number;
  bytesPerSession: number;
  /** Microseconds of the app's CPU time for each read. */
  cpu: number;
  /** Reads per second. */
  rate: number;
  /** Compared with the fewest rows, by rounds in turn: 1 is the same, less is slower. Undefined for the fewest. */
  ratio?: { cpu: Ratio; rate: Ratio };
  latency: Latency;
  users: UserTimes;
}

export interface Purge {
  rows: number;
  purged: number;
  seconds: number;
  before: Latency;
  during: Latency;
  /** Of the event loop of the process that serves and purges, in milliseconds. */
  longestPauseBefore: number;
  longestPause: number;
}

export interface Processes {
  processes: number;
  /** The worst of the processes'. */
  latency: Latency;
}

export interface ScaledStore {
  backend: string;
  sizes: Size[];
  purge?: Purge;
  processes: Processes[];
}

export interface Scale {
  method: { rounds: number; requests: number; turns: number; turnRequests: number };
  stores: ScaledStore[];
  skipped: string[];
  failures: string[];
}

/** A store of so many sessions. */
interface Store {
  rows: number;
  unique: string;
  filled: Filled;
}

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "9" },
    "turn-requests": { type: "string", default: "900" },
    "warm-up": { type: "string", default: "20000" },
    /** Requests per second. */
    rate: { type: "string", default: "300" },
    only: { type: "string", default: "" },
    out: { type: "string", default: RESULTS },
  },
});
const largest = Number(values.rows);
const rate = Number(values.rate);
const warmUpRequests = Number(values["warm-up"]);
const rounds = { count: Number(values.rounds), requests: 2000 };
const turns = { count: 3, requests: Number(values["turn-requests"]) };
const seconds = (turns.count * turns.requests) / rate;
const start = await conditions();
const method = { rounds: rounds.count, requests: rounds.requests, turns: turns.count, turnRequests: turns.requests };
const scale: Scale = { method, stores: [], skipped: [], failures };
for (const backend of BACKENDS.filter((name) => name.includes(values.only))) {
  const measured: ScaledStore = { backend, sizes: [], processes: [] };
  await part(backend, 6, () => measure(measured));
  if (measured.sizes.length > 0) scale.stores.push(measured);
  start.busy = Math.max(start.busy, await othersBusy());
  save(values, "scale", { ...start, ...scale });
}
await step(process.execPath, [join(import.meta.dirname, "../report/run.ts"), "--out", values.out]);
finish();

async function measure(measured: ScaledStore): Promise<void> {
  const { backend } = measured;
  const place = await placeFor(FRAMEWORK, backend);
  if (place === undefined) {
    scale.skipped.push(`${backend}: no server`);
    return;
  }
  const stores: Store[] = [];
  for (const rows of [largest / 100, largest / 10, largest]) {
    const unique = `scale_${process.pid}_${rows}`;
    const begun = performance.now();
    const filled = await fill({ place, unique, rows, halfExpired: rows === largest && backend !== "redis" });
    stores.push({ rows, unique, filled });
    console.log(`  ${rows} sessions made in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
  measured.sizes = await sizesOf(place, stores);
  for (const { rows, bytesPerSession, latency, ...size } of measured.sizes) {
    const ratio = size.ratio === undefined ? "" : `, ratio ${size.ratio.rate.median}`;
    const users = `list ${size.users.list.p50}, end ${size.users.end.p50} ms`;
    console.log(
      `  ${rows}: ${bytesPerSession} bytes each; ${size.rate} reads/s${ratio}; p50 ${latency.p50}, p99 ${latency.p99} ms; ${users}`,
    );
  }
  const [, middle, last] = stores;
  if (middle !== undefined) measured.processes = await processesOf(place, middle);
  for (const { processes, latency } of measured.processes) {
    console.log(`  ${processes} processes: p50 ${latency.p50}, p99 ${latency.p99} ms, ${latency.failed} failed`);
  }
  if (last === undefined) return;
  measured.purge = await purgeOf(place, last);
  const { before, during, ...purge } = measured.purge;
  console.log(
    `  ${purge.purged} purged in ${purge.seconds} s: p99 ${before.p99} before, ${during.p99} ms during; longest pause ${purge.longestPauseBefore} before, ${purge.longestPause} ms during`,
  );
}

async function serverOn(place: Place, { unique, filled }: Store): Promise<Server> {
  const options = { framework: FRAMEWORK, who: "ours", sessions: 0, unique, isFilled: true };
  return { ...(await startContender(place, options)), cookies: filled.cookies };
}

async function sizesOf(place: Place, stores: readonly Store[]): Promise<Size[]> {
  const servers: Server[] = [];
  for (const store of stores) servers.push(await serverOn(place, store));
  const [smallest, ...larger] = servers;
  if (smallest === undefined) return [];
  for (const server of servers) await warmUp(server, "read", warmUpRequests);
  const compared = await compare("read", smallest, larger, rounds);
  const latencies = await offerInTurns(servers, "read", rate, turns);
  const sizes: Size[] = [];
  for (const [index, { rows, filled }] of stores.entries()) {
    const server = servers[index] as Server;
    const comparison = compared.get(server);
    const round = comparison?.peer ?? [...compared.values()][0]?.ours;
    const latency = latencies.get(server);
    if (round === undefined || latency === undefined || (index > 0 && comparison === undefined)) continue;
    sizes.push({
      rows,
      bytesPerSession: filled.bytesPerSession,
      cpu: rounded(round.user + round.system),
      rate: rounded(round.rate),
      ...(comparison && { ratio: { cpu: inverted(comparison.cpu), rate: inverted(comparison.rate) } }),
      latency,
      users: await ask<UserTimes>(server, "users", usersOf(rows)),
    });
  }
  await stop(servers);
  return sizes;
}

/** The comparison's ratios say how much faster the fewest rows are. */
function inverted({ median, lowerQuartile, upperQuartile }: Spread): Ratio {
  return {
    median: rounded(1 / median),
    lowerQuartile: rounded(1 / upperQuartile),
    upperQuartile: rounded(1 / lowerQuartile),
  };
}

/** From all over the store; fill.ts names them. */
function usersOf(rows: number): string[] {
  const all = Math.ceil(rows / 3);
  return Array.from({ length: USERS }, (_, index) => `user${Math.floor((index * all) / USERS)}`);
}

async function purgeOf(place: Place, { unique, filled, rows }: Store): Promise<Purge> {
  const server = await serverOn(place, { unique, filled, rows });
  await warmUp(server, "read", warmUpRequests);
  await ask(server, "pause");
  const before = await offerFor(server, "read", rate, seconds);
  const longestPauseBefore = rounded(await ask<number>(server, "pause"));
  let removed: Promise<number> | undefined;
  let begun = performance.now();
  if (place.backend === "redis") {
    // Redis removes what has expired by itself. The load begins a second before all of it expires at one moment.
    const beginning = Promise.withResolvers<void>();
    removed = expireInRedis(place, unique, filled.expiring, beginning.resolve);
    removed.catch(beginning.reject);
    await beginning.promise;
    begun = performance.now() + 1000;
  }
  const during = await offer(server, "read", rate, async () => {
    if (removed === undefined) {
      begun = performance.now();
      removed = ask<number>(server, "purge");
    }
    await removed;
  });
  const purged = (await removed) ?? 0;
  const took = rounded((performance.now() - begun) / 1000);
  const longestPause = rounded(await ask<number>(server, "pause"));
  await stop([server]);
  return { rows, purged, seconds: took, before, during, longestPauseBefore, longestPause };
}

/** The same rate of writes, shared by so many processes. */
async function processesOf(place: Place, store: Store): Promise<Processes[]> {
  const found: Processes[] = [];
  for (const processes of PROCESSES) {
    const servers: Server[] = [];
    for (let count = 0; count < processes; count++) servers.push(await serverOn(place, store));
    for (const server of servers) await warmUp(server, "write", warmUpRequests / 3);
    const each = await Promise.all(servers.map((server) => offerFor(server, "write", rate / processes, seconds)));
    const worst = (key: keyof Latency) => Math.max(...each.map((latency) => latency[key]));
    const sum = (key: keyof Latency) => each.reduce((total, latency) => total + latency[key], 0);
    const latency = {
      ...{ rate, requests: sum("requests"), failed: sum("failed") },
      ...{ p50: worst("p50"), p99: worst("p99"), longest: worst("longest"), late: worst("late") },
      cpu: rounded(sum("cpu") / processes),
    };
    found.push({ processes, latency });
    await stop(servers);
  }
  return found;
}
