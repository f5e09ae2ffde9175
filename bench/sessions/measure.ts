// The method: CPU time of the server for each request, ours and the others in turn, in short rounds; medians of ratios.
// It holds on a machine that does other work, which requests per second don't. Change it to measure something else of a server.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { cpus, release } from "node:os";

/** A server under measurement, as `serve` in serving.ts announces it. */
export interface Server {
  name: string;
  child: ChildProcess;
  port: number;
  /** The Cookie headers of its sessions. */
  cookies: string[];
}

/** Microseconds of CPU that the server used for each request; `rate` is requests per second. */
export interface Round {
  user: number;
  system: number;
  rate: number;
}

/** How often the peer's CPU time fits into ours: 2 means that ours serves twice as much with the same CPU. */
export interface Comparison {
  route: string;
  ours: string;
  peer: string;
  /** All rounds, in their order; ours and the peer's with the same index ran one right after the other. */
  oursRounds: readonly Round[];
  peerRounds: readonly Round[];
  ratio: { median: number; lowerQuartile: number; upperQuartile: number; minimum: number };
}

export interface Rounds {
  count: number;
  /** Requests in one round of one server. */
  requests: number;
  /** Requests that each server gets first; WARM_UP_REQUESTS unless given. */
  warmUp?: number;
}

const CONNECTIONS = 32;
/** Requests that each server gets first, so that its code is compiled by then. */
const WARM_UP_REQUESTS = 40_000;

const autocannon = createRequire(import.meta.url)("autocannon") as (options: object) => Promise<{
  requests: { total: number };
  duration: number;
  non2xx: number;
  errors: number;
}>;

/** Starts a script that calls `serve`, and waits until it listens. */
export async function start(name: string, script: string, args: string[]): Promise<Server> {
  const env = { ...process.env, NODE_ENV: "production", SESSION_COOKIE_SECURE: "false" };
  const child = fork(script, args, { env });
  const exited = once(child, "exit").then(([code]) => Promise.reject(new Error(`${name} exited with ${code}`)));
  exited.catch(() => undefined);
  const [message] = (await Promise.race([once(child, "message"), exited])) as [{ port: number; cookies: string[] }];
  return { name, child, ...message };
}

export function stop(servers: readonly Server[]): void {
  for (const { child } of servers) child.kill();
}

/** Measures a route of ours and of the peers in turn. The order is reversed in every other round. */
export async function compare(
  route: string,
  ours: Server,
  peers: readonly Server[],
  { count, requests, warmUp = WARM_UP_REQUESTS }: Rounds,
): Promise<Comparison[]> {
  const servers = [ours, ...peers];
  for (const server of servers) await measure(server, route, warmUp);
  const rounds = new Map<Server, Round[]>(servers.map((server) => [server, []]));
  for (let round = 0; round < count; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      rounds.get(server)?.push(await measure(server, route, requests));
    }
  }
  const own = rounds.get(ours) ?? [];
  return peers.map((peer) => {
    const others = rounds.get(peer) ?? [];
    const ratios = own.map((round, index) => cpuOf(others[index]) / cpuOf(round));
    const ratio = {
      median: quantile(ratios, 0.5),
      lowerQuartile: quantile(ratios, 0.25),
      upperQuartile: quantile(ratios, 0.75),
      minimum: Math.min(...ratios),
    };
    return { route, ours: ours.name, peer: peer.name, oursRounds: own, peerRounds: others, ratio };
  });
}

async function measure({ name, child, port, cookies }: Server, route: string, amount: number): Promise<Round> {
  const requests = (route === "anonymous" ? [""] : cookies).map((cookie) => ({
    path: `/${route}`,
    headers: cookie === "" ? {} : { cookie },
  }));
  const before = await usageOf(child);
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    amount,
    requests,
    // It notices only then, every so many milliseconds, that all have been sent.
    sampleInt: 50,
  });
  const after = await usageOf(child);
  const failed = result.non2xx + result.errors;
  if (failed > 0) throw new Error(`${failed} requests of /${route} to ${name} failed`);
  const { total } = result.requests;
  return {
    user: (after.user - before.user) / total,
    system: (after.system - before.system) / total,
    rate: total / result.duration,
  };
}

/** What the process has used so far, all of its threads included, in microseconds. It reads that by itself. */
async function usageOf(child: ChildProcess): Promise<NodeJS.CpuUsage> {
  const reply = once(child, "message");
  child.send("usage");
  return (await reply)[0] as NodeJS.CpuUsage;
}

function cpuOf(round: Round | undefined): number {
  return round === undefined ? Number.NaN : round.user + round.system;
}

/** The median of each figure. */
export function typical(rounds: readonly Round[]): Round {
  const median = (key: keyof Round) =>
    quantile(
      rounds.map((round) => round[key]),
      0.5,
    );
  return { user: median("user"), system: median("system"), rate: median("rate") };
}

export function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
}

/** One line for the head of a table. */
export function conditions({ count, requests }: Rounds): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${process.platform} ${release().split(".", 2).join(".")}`;
  const date = new Date().toISOString().slice(0, 10);
  return `${date}; ${machine}; Node ${process.version}; ${count} rounds of ${requests} requests, ${CONNECTIONS} connections`;
}

export const TABLE_HEAD = [
  "| request | ours | against | CPU µs/request, ours (user + system) | theirs | ratio: median | quartiles | minimum | aim |",
  "|---|---|---|---|---|---|---|---|---|",
].join("\n");

/** One line of a table in Markdown. */
export function tableRow({ route, ours, peer, oursRounds, peerRounds, ratio }: Comparison, aim: number): string {
  const cpu = (rounds: readonly Round[]) => {
    const { user, system } = typical(rounds);
    return `${(user + system).toFixed(1)} (${user.toFixed(1)} + ${system.toFixed(1)})`;
  };
  const missed = ratio.median < aim ? " (missed)" : "";
  const cells = [
    ...[route, ours, peer, cpu(oursRounds), cpu(peerRounds), ratio.median.toFixed(2)],
    ...[`${ratio.lowerQuartile.toFixed(2)} to ${ratio.upperQuartile.toFixed(2)}`, ratio.minimum.toFixed(2)],
    `${aim.toFixed(2)}${missed}`,
  ];
  return `| ${cells.join(" | ")} |`;
}
