// Each framework and each store against what people use otherwise: CPU time for each request, latency at the same offered load,
// and what goes over the wire. `npm run bench -- peers [--rounds N] [--only TEXT] [--out FOLDER]`

import { parseArgs } from "node:util";
import { countingProxy } from "../../test/runtime/costs/wire.ts";
import { type Latency, offer } from "../measuring/load.ts";
import { conditions, RESULTS, rounded, save } from "../measuring/results.ts";
import { compare, quantile, type Server, stop, typical } from "../sessions/measure.ts";
import { ask, type Place, placeFor, SERVERS, startContender } from "./places.ts";

/** What is measured of one route: ours against each of the others, with the ratio that is aimed at. */
interface Match {
  framework: string;
  backend: string;
  routes: Record<string, Record<string, number>>;
  /** Requests in one round: about a quarter of a second. */
  requests: number;
  /** Requests per second at which latency is measured, the same for all: far below what the slowest can do. */
  rate: number;
}

const MATCHES: Match[] = [
  {
    framework: "express",
    backend: "memory",
    routes: { anonymous: { bare: 0.95 }, read: { "express-session": 2 }, write: { "express-session": 1.5 } },
    requests: 2000,
    rate: 1000,
  },
  {
    framework: "fastify",
    backend: "memory",
    routes: { anonymous: { bare: 0.95 }, read: { "@fastify/session": 2 }, write: { "@fastify/session": 1.5 } },
    requests: 2000,
    rate: 1000,
  },
  {
    framework: "hono",
    backend: "memory",
    routes: { anonymous: { bare: 0.95 }, read: { "hono-sessions": 2 }, write: { "hono-sessions": 1.5 } },
    requests: 2000,
    rate: 1000,
  },
  {
    framework: "koa",
    backend: "memory",
    routes: { anonymous: { bare: 0.95 }, read: { "koa-session": 2 }, write: { "koa-session": 1.5 } },
    requests: 2000,
    rate: 1000,
  },
  { framework: "node", backend: "memory", routes: { anonymous: { bare: 0.95 } }, requests: 2000, rate: 1000 },
  {
    framework: "express",
    backend: "sqlite",
    routes: {
      read: { lookup: 0.9, "better-sqlite3-session-store": 3, "better-auth": 2 },
      write: { "better-sqlite3-session-store": 2.5 },
    },
    requests: 1200,
    rate: 500,
  },
  {
    framework: "express",
    backend: "postgres",
    routes: { read: { lookup: 0.9, "connect-pg-simple": 2.5, "better-auth": 2 }, write: { "connect-pg-simple": 2.5 } },
    requests: 800,
    rate: 300,
  },
  {
    framework: "express",
    backend: "mysql",
    routes: { read: { lookup: 0.9, "express-mysql-session": 2 }, write: { "express-mysql-session": 1.5 } },
    requests: 800,
    rate: 300,
  },
  {
    framework: "express",
    backend: "redis",
    routes: { read: { lookup: 0.9, "connect-redis": 2 }, write: { "connect-redis": 1.5 } },
    requests: 800,
    rate: 300,
  },
  {
    framework: "express",
    backend: "mongodb",
    routes: { read: { lookup: 0.9, "connect-mongo": 2 }, write: { "connect-mongo": 1.5 } },
    requests: 150,
    rate: 40,
  },
  { framework: "express", backend: "couchdb", routes: { read: { lookup: 0.9 } }, requests: 150, rate: 40 },
];

export interface Cost {
  user: number;
  system: number;
}

/** Ours against another, on one route. Ratios above 1 mean that ours takes less. */
export interface Comparison {
  framework: string;
  backend: string;
  route: string;
  against: string;
  aim: number;
  /** Microseconds of the server's CPU time for each request. */
  ours: Cost;
  theirs: Cost;
  ratio: { median: number; lowerQuartile: number; upperQuartile: number };
  rounds: number;
  latency: { ours: Latency; theirs: Latency };
}

/** What one request sends. */
export interface Traffic {
  framework: string;
  backend: string;
  who: string;
  route: string;
  statements: number;
  trips: number;
  bytes: number;
}

export interface Peers {
  comparisons: Comparison[];
  traffic: Traffic[];
  skipped: string[];
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "11" },
    seconds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    out: { type: "string", default: RESULTS },
  },
});
const rounds = Number(values.rounds);
const start = conditions();
const peers: Peers = { comparisons: [], traffic: [], skipped: [] };
for (const match of MATCHES.filter(({ framework, backend }) => `${framework} ${backend}`.includes(values.only))) {
  const place = await placeFor(match.framework, match.backend);
  if (place === undefined) {
    peers.skipped.push(`${match.framework}, ${match.backend}: no server`);
    continue;
  }
  peers.comparisons.push(...(await comparisonsOf(match, place)));
  peers.traffic.push(...(await trafficOf(match, place)));
  if (values.only === "") save(values.out, "peers", { ...start, ...peers });
}
process.exit(0);

async function comparisonsOf(
  { framework, backend, routes, requests, rate }: Match,
  place: Place,
): Promise<Comparison[]> {
  const found: Comparison[] = [];
  for (const [route, others] of Object.entries(routes)) {
    const servers: Server[] = [];
    try {
      for (const who of ["ours", ...Object.keys(others)]) servers.push(await startContender(place, { framework, who }));
      const [own, ...opponents] = servers;
      if (own === undefined) continue;
      const measured = await compare(route, own, opponents, {
        count: rounds,
        requests,
        // Fewer leave a part of the code uncompiled, which makes the contender with more code of its own look dearer.
        warmUp: Math.min(requests * 50, 40_000),
      });
      for (const [index, { oursRounds, peerRounds, ratio }] of measured.entries()) {
        const against = Object.keys(others)[index] ?? "";
        const ours = await latencyOf(own, route, rate);
        const theirs = await latencyOf(opponents[index] as Server, route, rate);
        const comparison = {
          ...{ framework, backend, route, against, aim: others[against] ?? Number.NaN, rounds },
          ours: costOf(oursRounds),
          theirs: costOf(peerRounds),
          ratio: {
            median: rounded(ratio.median),
            lowerQuartile: rounded(ratio.lowerQuartile),
            upperQuartile: rounded(ratio.upperQuartile),
          },
          latency: { ours, theirs },
        };
        found.push(comparison);
        print(comparison);
      }
    } finally {
      stop(servers);
    }
  }
  return found;
}

function costOf(measured: readonly { user: number; system: number; rate: number }[]): Cost {
  const { user, system } = typical(measured);
  return { user: rounded(user), system: rounded(system) };
}

/** The median of three rounds by each figure, since one pause of the machine would be a p99. */
async function latencyOf(server: Server, route: string, rate: number): Promise<Latency> {
  const found: Latency[] = [];
  for (let round = 0; round < 3; round++) {
    const seconds = Number(values.seconds) / 3;
    found.push(await offer(server, route, rate, new Promise((resolve) => setTimeout(resolve, seconds * 1000))));
  }
  const median = (key: "p50" | "p99" | "longest") =>
    rounded(
      quantile(
        found.map((latency) => latency[key]),
        0.5,
      ),
    );
  const failed = found.reduce((sum, latency) => sum + latency.failed, 0);
  if (failed > 0) throw new Error(`${failed} requests to ${server.name} failed`);
  return { rate, p50: median("p50"), p99: median("p99"), longest: median("longest"), failed };
}

/** One request after the other, through a proxy that counts, on servers that are not measured. */
async function trafficOf({ framework, backend, routes }: Match, place: Place): Promise<Traffic[]> {
  const name = SERVERS[backend];
  if (backend === "memory") return [];
  const wire = name === undefined ? undefined : await countingProxy(name, place.url);
  const through = { ...place, url: wire?.url ?? place.url };
  const whos = new Set(["ours", ...Object.values(routes).flatMap((others) => Object.keys(others))]);
  const found: Traffic[] = [];
  for (const who of whos) {
    const server = await startContender(through, { framework, who, sessions: 1, countsStatements: true });
    try {
      for (const route of Object.keys(routes)) {
        if (who !== "ours" && routes[route]?.[who] === undefined) continue;
        await visit(server, route, 20);
        await wire?.quiet();
        const before = (await ask<{ statements: number }>(server, "statements")).statements;
        wire?.take();
        await visit(server, route, 50);
        const after = (await ask<{ statements: number }>(server, "statements")).statements;
        const { statements, trips, bytes } = wire?.take() ?? { statements: after - before, trips: 0, bytes: 0 };
        const one = (total: number) => rounded(total / 50);
        found.push({
          framework,
          backend,
          who,
          route,
          statements: one(statements),
          trips: one(trips),
          bytes: one(bytes),
        });
      }
    } finally {
      stop([server]);
    }
  }
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

function print({ framework, backend, route, against, ratio, aim, latency, ours, theirs }: Comparison): void {
  const missed = ratio.median < aim ? "missed" : "";
  const cpu = (cost: Cost) => `${(cost.user + cost.system).toFixed(0)} µs`;
  const p99 = `p99 ${latency.ours.p99} / ${latency.theirs.p99} ms at ${latency.ours.rate}/s`;
  console.log(
    [
      ...[framework.padEnd(8), backend.padEnd(9), route.padEnd(10), against.padEnd(29), cpu(ours), cpu(theirs)],
      ...[`${ratio.median.toFixed(2)} (${ratio.lowerQuartile} to ${ratio.upperQuartile}), aim ${aim}`, missed, p99],
    ].join("  "),
  );
}
