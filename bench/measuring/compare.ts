// The method: CPU time of the server for each request, ours and the others in turn, in short rounds; medians of ratios.
// It holds on a machine that does other work, which requests per second don't. Change it to measure something else of a server.

import { createRequire } from "node:module";
import { inTurns } from "./parts.ts";
import { ask, type Server } from "./servers.ts";

/** Microseconds of CPU that the server used for each request; `rate` is requests per second. */
export interface Round {
  user: number;
  system: number;
  rate: number;
}

export interface Spread {
  median: number;
  lowerQuartile: number;
  upperQuartile: number;
  minimum: number;
}

export interface Comparison {
  /** The median of each figure. */
  ours: Round;
  peer: Round;
  /** How often our CPU time for a request fits into the peer's: 2 means that ours serves twice as much with the same CPU. */
  cpu: Spread;
  /** Our requests per second divided by the peer's. It says something only on a machine that does nothing else. */
  rate: Spread;
}

export interface Rounds {
  count: number;
  /** Requests in one round of one server. */
  requests: number;
}

const CONNECTIONS = 32;

interface Load extends Promise<{ requests: { total: number }; non2xx: number; errors: number }> {
  on(event: "response", listener: () => void): void;
}
interface Client {
  setRequests(requests: object[]): void;
}
const autocannon = createRequire(import.meta.url)("autocannon") as (options: object) => Load;

/**
 * Requests that are not measured, so that the code is compiled by then. V8 compiles an app's hot functions in the first
 * 35,000 requests or so; in the midst of that a request takes up to four times as long as afterwards.
 */
export async function warmUp(server: Server, route: string, requests: number): Promise<void> {
  await measure(server, route, requests);
}

/** Measures a route of ours and of the peers in turn. A peer that fails is missing in the result. */
export async function compare(
  route: string,
  ours: Server,
  peers: readonly Server[],
  { count, requests }: Rounds,
): Promise<Map<Server, Comparison>> {
  const rounds = await takeRounds(route, [ours, ...peers], { count, requests });
  const own = rounds.get(ours) ?? [];
  if (own.length < count) throw new Error(`${ours.name} failed`);
  const compared = new Map<Server, Comparison>();
  for (const peer of peers) {
    const others = rounds.get(peer) ?? [];
    if (others.length === count) compared.set(peer, comparisonOf(own, others));
  }
  return compared;
}

/** Measures a route of several servers in turn. One that fails has fewer rounds. */
export async function takeRounds(
  route: string,
  servers: readonly Server[],
  { count, requests }: Rounds,
): Promise<Map<Server, Round[]>> {
  const rounds = new Map<Server, Round[]>(servers.map((server) => [server, []]));
  await inTurns(servers, count, async (server) => {
    rounds.get(server)?.push(await measure(server, route, requests));
  });
  return rounds;
}

/** Compares round by round. Both lists have the same length. */
export function comparisonOf(own: readonly Round[], others: readonly Round[]): Comparison {
  const pairs = own.map((round, index) => [round, others[index] as Round] as const);
  return {
    ours: typical(own),
    peer: typical(others),
    cpu: spreadOf(pairs.map(([one, other]) => cpuOf(other) / cpuOf(one))),
    rate: spreadOf(pairs.map(([one, other]) => one.rate / other.rate)),
  };
}

async function measure(server: Server, route: string, amount: number): Promise<Round> {
  const { name, port, cookies } = server;
  const requests = (route === "anonymous" ? [""] : cookies).map((cookie) => ({
    path: `/${route}`,
    headers: cookie === "" ? {} : { cookie },
  }));
  const connections = Math.min(CONNECTIONS, amount);
  let connection = 0;
  const before = await usageOf(server);
  const load = autocannon({
    url: `http://127.0.0.1:${port}`,
    connections,
    amount,
    // Each connection has sessions of its own. They would all ask for the same one at the same time otherwise.
    setupClient: (client: Client) => {
      const own = requests.filter((_, index) => index % connections === connection % requests.length);
      client.setRequests(own);
      connection++;
    },
    // It notices only then, every so many milliseconds, that all have been sent.
    sampleInt: 50,
  });
  // Before the first response autocannon prepares its requests.
  let begun: number | undefined;
  let ended = 0;
  load.on("response", () => {
    ended = performance.now();
    begun ??= ended;
  });
  const result = await load;
  const after = await usageOf(server);
  const failed = result.non2xx + result.errors;
  if (failed > 0) throw new Error(`${failed} requests of /${route} to ${name} failed`);
  const { total } = result.requests;
  return {
    user: (after.user - before.user) / total,
    system: (after.system - before.system) / total,
    rate: ((total - 1) * 1000) / (ended - (begun ?? ended)),
  };
}

/** What the process has used so far, all of its threads included, in microseconds. It reads that by itself. */
export function usageOf(server: Server): Promise<NodeJS.CpuUsage> {
  return ask<NodeJS.CpuUsage>(server, "usage");
}

function cpuOf({ user, system }: Round): number {
  return user + system;
}

function typical(rounds: readonly Round[]): Round {
  const median = (key: keyof Round) =>
    quantile(
      rounds.map((round) => round[key]),
      0.5,
    );
  return { user: median("user"), system: median("system"), rate: median("rate") };
}

function spreadOf(ratios: readonly number[]): Spread {
  return {
    median: quantile(ratios, 0.5),
    lowerQuartile: quantile(ratios, 0.25),
    upperQuartile: quantile(ratios, 0.75),
    minimum: Math.min(...ratios),
  };
}

export function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
}
