// Each framework and each store against what people use otherwise: CPU time for each request, latency at the same offered load,
// what goes over the wire, and what a session takes. `npm run bench -- peers [--rounds N] [--warm-up N] [--only TEXT] [--out FOLDER]`

import { parseArgs } from "node:util";
import { compare, type Spread, warmUp } from "../measuring/compare.ts";
import { type Latency, offerInTurns } from "../measuring/load.ts";
import { attempt, failures, finish, part } from "../measuring/parts.ts";
import { conditions, othersBusy, RESULTS, rounded, save } from "../measuring/results.ts";
import { type Server, stop } from "../measuring/servers.ts";
import { contendersOf, MATCHES, type Match, routesOf } from "./matches.ts";
import { type Place, placeFor, startContender } from "./places.ts";
import { type Footprint, footprintOf, type Traffic, trafficOf } from "./traffic.ts";

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
  ratio: Spread;
  latency: { ours: Latency; theirs: Latency };
}

export interface Peers {
  /** How it was measured. */
  method: { rounds: number; turns: number; turnRequests: number; warmUp: number };
  comparisons: Comparison[];
  traffic: Traffic[];
  footprints: Footprint[];
  skipped: string[];
  failures: string[];
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    turns: { type: "string", default: "3" },
    "turn-requests": { type: "string", default: "700" },
    /** A part of the requests that matches.ts names for it. */
    "warm-up": { type: "string", default: "1" },
    only: { type: "string", default: "" },
    out: { type: "string", default: RESULTS },
  },
});
const rounds = Number(values.rounds);
const turns = Number(values.turns);
const turnRequests = Number(values["turn-requests"]);
const start = await conditions();
const method = { rounds, turns, turnRequests, warmUp: 40_000 * Number(values["warm-up"]) };
const peers: Peers = { method, comparisons: [], traffic: [], footprints: [], skipped: [], failures };
for (const match of MATCHES.filter(({ framework, backend }) => `${framework} ${backend}`.includes(values.only))) {
  const { framework, backend } = match;
  await part(`${framework}, ${backend}`, 5, async () => {
    const place = await placeFor(framework, backend);
    if (place === undefined) {
      peers.skipped.push(`${framework}, ${backend}: no server`);
      return;
    }
    for (const who of contendersOf(match)) {
      const name = `${framework}, ${backend}, ${who}`;
      await attempt(`${name}, size`, async () => {
        const footprint = await footprintOf(match, place, who);
        if (footprint === undefined) return;
        peers.footprints.push(footprint);
        console.log(`  a session  ${who.padEnd(28)} ${footprint.bytes} bytes`);
      });
      await attempt(`${name}, traffic`, async () => {
        for (const { route, statements, trips, bytes, ...traffic } of await trafficOf(match, place, who)) {
          peers.traffic.push({ route, statements, trips, bytes, ...traffic });
          const sent = `${statements} statements, ${trips} round trips, ${bytes} bytes`;
          console.log(`  ${route.padEnd(10)} ${who.padEnd(28)} ${sent}`);
        }
      });
    }
    await comparisonsOf(match, place);
  });
  start.busy = Math.max(start.busy, await othersBusy());
  save(values, "peers", { ...start, ...peers });
}
finish();

/** All contenders run at the same time, and idle while it isn't their turn. One that fails costs the others nothing. */
async function comparisonsOf(match: Match, place: Place): Promise<void> {
  const servers = new Map<string, Server>();
  for (const who of contendersOf(match)) {
    await attempt(`${match.framework}, ${match.backend}, ${who}`, async () => {
      const server = await startContender(place, { framework: match.framework, who });
      const routes = routesOf(match, who);
      const requests = (match.warmUp * Number(values["warm-up"])) / routes.length;
      for (const route of routes) await warmUp(server, route, Math.ceil(requests));
      servers.set(who, server);
    });
  }
  const own = servers.get("ours");
  if (own === undefined) return;
  for (const [route, others] of Object.entries(match.routes)) {
    const opponents = new Map([...servers].filter(([who]) => others[who] !== undefined));
    await attempt(`${match.framework}, ${match.backend}, ${route}`, async () => {
      peers.comparisons.push(...(await compareOn(match, route, own, opponents)));
    });
  }
  await stop([...servers.values()]);
}

async function compareOn(
  { framework, backend, routes, requests, rate }: Match,
  route: string,
  own: Server,
  opponents: Map<string, Server>,
): Promise<Comparison[]> {
  const measured = await compare(route, own, [...opponents.values()], { count: rounds, requests });
  const inTurns = { count: turns, requests: turnRequests };
  const latencies = await offerInTurns([own, ...measured.keys()], route, rate, inTurns);
  const latency = latencies.get(own);
  if (latency === undefined) throw new Error(`${own.name} failed`);
  return [...opponents].flatMap(([who, opponent]) => {
    const [compared, theirs] = [measured.get(opponent), latencies.get(opponent)];
    if (compared === undefined || theirs === undefined) return [];
    const { ours: cost, peer, cpu } = compared;
    const comparison = {
      ...{ framework, backend, route, against: who, aim: routes[route]?.[who] ?? Number.NaN },
      ours: { user: rounded(cost.user), system: rounded(cost.system) },
      theirs: { user: rounded(peer.user), system: rounded(peer.system) },
      ratio: {
        median: rounded(cpu.median),
        lowerQuartile: rounded(cpu.lowerQuartile),
        upperQuartile: rounded(cpu.upperQuartile),
        minimum: rounded(cpu.minimum),
      },
      latency: { ours: latency, theirs },
    };
    print(comparison);
    return [comparison];
  });
}

function print({ route, against, ratio, aim, latency, ours, theirs }: Comparison): void {
  const missed = ratio.median < aim ? ", missed" : "";
  const cpu = (cost: Cost) => (cost.user + cost.system).toFixed(0);
  const line = [
    `  ${route.padEnd(9)} ${against.padEnd(28)}`,
    `${cpu(ours)} / ${cpu(theirs)} µs, ratio ${ratio.median} (${ratio.lowerQuartile} to ${ratio.upperQuartile}), aim ${aim}${missed};`,
    `p50 ${latency.ours.p50} / ${latency.theirs.p50}, p99 ${latency.ours.p99} / ${latency.theirs.p99} ms at ${latency.ours.rate}/s`,
  ];
  console.log(line.join(" "));
}
