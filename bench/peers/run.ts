// Each framework and each store against what people use otherwise: CPU time for each request, latency at the same offered load,
// what goes over the wire, and what a session takes. `npm run bench -- peers [--starts N] [--rounds N] [--warm-up N] [--only TEXT] [--out FOLDER]`

import { parseArgs } from "node:util";
import { comparisonOf, type Round, type Spread, takeRounds, warmUp } from "../measuring/compare.ts";
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
  method: { starts: number; rounds: number; turns: number; turnRequests: number; warmUp: number };
  comparisons: Comparison[];
  traffic: Traffic[];
  footprints: Footprint[];
  skipped: string[];
  failures: string[];
}

const { values } = parseArgs({
  options: {
    /** How often each server is started anew: two processes of the same server differ by up to a quarter. */
    starts: { type: "string", default: "2" },
    /** Of each start. */
    rounds: { type: "string", default: "5" },
    turns: { type: "string", default: "3" },
    "turn-requests": { type: "string", default: "700" },
    /** A part of the requests that matches.ts names for it. */
    "warm-up": { type: "string", default: "1" },
    only: { type: "string", default: "" },
    out: { type: "string", default: RESULTS },
  },
});
const starts = Number(values.starts);
const rounds = Number(values.rounds);
const turns = Number(values.turns);
const turnRequests = Number(values["turn-requests"]);
const start = await conditions();
const method = { starts, rounds, turns, turnRequests, warmUp: 40_000 * Number(values["warm-up"]) };
const peers: Peers = { method, comparisons: [], traffic: [], footprints: [], skipped: [], failures };
for (const match of MATCHES.filter(({ framework, backend }) => `${framework} ${backend}`.includes(values.only))) {
  const { framework, backend } = match;
  await part(`${framework}, ${backend}`, 6 * starts, async () => {
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

/** What was measured of one contender on one route. */
interface Measured {
  rounds: Round[];
  /** Of the last start. */
  latency?: Latency;
}

async function comparisonsOf(match: Match, place: Place): Promise<void> {
  const measured = new Map<string, Map<string, Measured>>();
  for (let start = 1; start <= starts; start++) {
    const servers = await startAll(match, place);
    for (const [route, others] of Object.entries(match.routes)) {
      const contenders = [...servers].filter(([who]) => who === "ours" || others[who] !== undefined);
      const byWho = measured.get(route) ?? new Map<string, Measured>();
      measured.set(route, byWho);
      await attempt(`${match.framework}, ${match.backend}, ${route}`, () =>
        measureOn(match, route, contenders, byWho, start === starts),
      );
    }
    await stop([...servers.values()]);
  }
  for (const [route, byWho] of measured) peers.comparisons.push(...compared(match, route, byWho));
}

/** All contenders run at the same time, and idle while it isn't their turn. One that fails costs the others nothing. */
async function startAll(match: Match, place: Place): Promise<Map<string, Server>> {
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
  return servers;
}

async function measureOn(
  { requests, rate }: Match,
  route: string,
  contenders: [who: string, server: Server][],
  measured: Map<string, Measured>,
  isLast: boolean,
): Promise<void> {
  const servers = contenders.map(([, server]) => server);
  const taken = await takeRounds(route, servers, { count: rounds, requests });
  const inTurns = { count: turns, requests: turnRequests };
  const latencies = isLast ? await offerInTurns(servers, route, rate, inTurns) : undefined;
  for (const [who, server] of contenders) {
    const { rounds: earlier } = measured.get(who) ?? { rounds: [] };
    const latency = latencies?.get(server);
    measured.set(who, { rounds: [...earlier, ...(taken.get(server) ?? [])], ...(latency && { latency }) });
  }
}

/** A contender that has failed once is missing. */
function compared(
  { framework, backend, routes }: Match,
  route: string,
  measured: ReadonlyMap<string, Measured>,
): Comparison[] {
  const isComplete = (one?: Measured): one is Required<Measured> =>
    one?.latency !== undefined && one.rounds.length === starts * rounds;
  const own = measured.get("ours");
  if (!isComplete(own)) return [];
  return Object.entries(routes[route] ?? {}).flatMap(([who, aim]) => {
    const theirs = measured.get(who);
    if (!isComplete(theirs)) return [];
    const { ours: cost, peer, cpu } = comparisonOf(own.rounds, theirs.rounds);
    const comparison = {
      ...{ framework, backend, route, against: who, aim },
      ours: { user: rounded(cost.user), system: rounded(cost.system) },
      theirs: { user: rounded(peer.user), system: rounded(peer.system) },
      ratio: {
        median: rounded(cpu.median),
        lowerQuartile: rounded(cpu.lowerQuartile),
        upperQuartile: rounded(cpu.upperQuartile),
        minimum: rounded(cpu.minimum),
      },
      latency: { ours: own.latency, theirs: theirs.latency },
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
