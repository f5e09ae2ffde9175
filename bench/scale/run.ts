// What becomes of reads when a store has ten thousand, a hundred thousand and a million sessions, what purging half of them
// does to requests, and several processes on one store. `npm run bench -- scale [--rows N] [--only TEXT] [--out FOLDER]`

import { parseArgs } from "node:util";
import { type Latency, offer } from "../measuring/load.ts";
import { conditions, RESULTS, rounded, save } from "../measuring/results.ts";
import { ask, type Place, placeFor, startContender } from "../peers/places.ts";
import { compare, type Server, stop, typical } from "../sessions/measure.ts";
import { expireInRedis, type Filled, fill } from "./fill.ts";

const BACKENDS = ["sqlite", "postgres", "mysql", "redis"];
const FRAMEWORK = "express";

export interface Size {
  rows: number;
  bytesPerSession: number;
  /** Microseconds of the server's CPU time for each read. */
  cpu: number;
  /** The CPU time of a read with the fewest rows, divided by this one's: the median of rounds in turn. */
  ratio: number;
  latency: Latency;
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
  latency: Latency;
  cpu: number;
}

export interface Scale {
  stores: { backend: string; sizes: Size[]; purge: Purge; processes: Processes[] }[];
  skipped: string[];
}

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "11" },
    seconds: { type: "string", default: "6" },
    rate: { type: "string", default: "300" },
    only: { type: "string", default: "" },
    out: { type: "string", default: RESULTS },
  },
});
const largest = Number(values.rows);
const rate = Number(values.rate);
const milliseconds = Number(values.seconds) * 1000;
const start = conditions();
const scale: Scale = { stores: [], skipped: [] };
for (const backend of BACKENDS.filter((name) => name.includes(values.only))) {
  const place = await placeFor(FRAMEWORK, backend);
  if (place === undefined) {
    scale.skipped.push(`${backend}: no server`);
    continue;
  }
  const stores = new Map<number, { unique: string; filled: Filled }>();
  for (const rows of [largest / 100, largest / 10, largest]) {
    const unique = `scale_${process.pid}_${rows}`;
    const begun = performance.now();
    stores.set(rows, {
      unique,
      filled: await fill({ place, unique, rows, halfExpired: rows === largest && backend !== "redis" }),
    });
    console.log(`${backend}: ${rows} sessions in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
  const sizes = await sizesOf(place, stores);
  const purge = await purgeOf(place, stores.get(largest) as { unique: string; filled: Filled });
  const processes = await processesOf(place, stores.get(largest / 10) as { unique: string; filled: Filled });
  scale.stores.push({ backend, sizes, purge, processes });
  console.log(JSON.stringify(scale.stores.at(-1), null, 1));
  if (values.only === "") save(values.out, "scale", { ...start, ...scale });
}
process.exit(0);

async function serverOn(place: Place, unique: string, { cookies }: Filled): Promise<Server> {
  const options = { framework: FRAMEWORK, who: "ours", sessions: 0, unique, isFilled: true };
  return { ...(await startContender(place, options)), cookies };
}

async function sizesOf(place: Place, stores: Map<number, { unique: string; filled: Filled }>): Promise<Size[]> {
  const servers: Server[] = [];
  try {
    for (const { unique, filled } of stores.values()) servers.push(await serverOn(place, unique, filled));
    const [smallest, ...larger] = servers;
    if (smallest === undefined) return [];
    const rounds = { count: Number(values.rounds), requests: 1000, warmUp: 5000 };
    const measured = await compare("read", smallest, larger, rounds);
    const sizes: Size[] = [];
    for (const [index, [rows, { filled }]] of [...stores].entries()) {
      const own = index === 0 ? measured[0]?.oursRounds : measured[index - 1]?.peerRounds;
      const { user, system } = typical(own ?? []);
      // The comparison says how often the peer's CPU time fits into the smallest store's.
      const ratio = index === 0 ? 1 : 1 / (measured[index - 1]?.ratio.median ?? Number.NaN);
      const latency = await offerFor(servers[index] as Server, "read");
      sizes.push({
        rows,
        bytesPerSession: filled.bytesPerSession,
        cpu: rounded(user + system),
        ratio: rounded(ratio),
        latency,
      });
    }
    return sizes;
  } finally {
    stop(servers);
  }
}

async function purgeOf(place: Place, { unique, filled }: { unique: string; filled: Filled }): Promise<Purge> {
  const server = await serverOn(place, unique, filled);
  try {
    await offerFor(server, "read");
    await ask(server, "delay");
    const before = await offerFor(server, "read");
    const longestPauseBefore = (await ask<{ longest: number }>(server, "delay")).longest;
    const begun = performance.now();
    let removed: Promise<{ purged: number }>;
    if (place.backend === "redis") removed = expire(place, unique, filled.expiring);
    else removed = ask<{ purged: number }>(server, "purge");
    const during = shortened(await offer(server, "read", rate, removed));
    const { purged } = await removed;
    const seconds = (performance.now() - begun) / 1000;
    const longestPause = (await ask<{ longest: number }>(server, "delay")).longest;
    const pauses = { longestPauseBefore: rounded(longestPauseBefore), longestPause: rounded(longestPause) };
    return { rows: largest, purged, seconds: rounded(seconds), before, during, ...pauses };
  } finally {
    stop([server]);
  }
}

/** Redis removes what has expired by itself; here all of it at one moment, in the middle of what is measured. */
async function expire(place: Place, unique: string, ids: readonly string[]): Promise<{ purged: number }> {
  // Telling Redis takes a while, and is done by then.
  await expireInRedis(place, unique, ids, Date.now() + 1000 + ids.length / 10);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  return { purged: ids.length };
}

/** The same rate of writes, shared by so many processes. */
async function processesOf(place: Place, { unique, filled }: { unique: string; filled: Filled }): Promise<Processes[]> {
  const found: Processes[] = [];
  for (const processes of [1, 2, 4]) {
    const servers: Server[] = [];
    try {
      for (let count = 0; count < processes; count++) servers.push(await serverOn(place, unique, filled));
      const each = () => Promise.all(servers.map((server) => offerFor(server, "write", rate / processes)));
      await each();
      const usage = async () => {
        let total = 0;
        for (const server of servers) {
          const { user, system } = await ask<NodeJS.CpuUsage>(server, "usage");
          total += user + system;
        }
        return total;
      };
      const before = await usage();
      const latencies = await each();
      const cpu = ((await usage()) - before) / (rate * Number(values.seconds));
      const worst = (key: "p50" | "p99" | "longest") => Math.max(...latencies.map((latency) => latency[key]));
      const failed = latencies.reduce((sum, latency) => sum + latency.failed, 0);
      const latency = { rate, p50: worst("p50"), p99: worst("p99"), longest: worst("longest"), failed };
      found.push({ processes, latency, cpu: rounded(cpu) });
    } finally {
      stop(servers);
    }
  }
  return found;
}

async function offerFor(server: Server, route: string, perSecond = rate): Promise<Latency> {
  return shortened(await offer(server, route, perSecond, new Promise((resolve) => setTimeout(resolve, milliseconds))));
}

function shortened({ rate: offered, p50, p99, longest, failed }: Latency): Latency {
  return { rate: offered, p50: rounded(p50), p99: rounded(p99), longest: rounded(longest), failed };
}
