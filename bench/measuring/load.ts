// Requests at a fixed rate, whatever the server does, and how long each of them took.
// Change it to send another kind of request.

import { once } from "node:events";
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { now } from "./clock.ts";
import { quantile, usageOf } from "./compare.ts";
import { inTurns } from "./parts.ts";
import { rounded } from "./results.ts";
import type { Server } from "./servers.ts";

/** Milliseconds, from the moment at which a request was due. */
export interface Latency {
  /** Requests per second that were offered. */
  rate: number;
  requests: number;
  p50: number;
  p99: number;
  longest: number;
  failed: number;
  /** The 99th percentile of how late requests were sent, for which the server can't be blamed. It is part of the above. */
  late: number;
  /** Microseconds of the server's CPU time for each request. More than under full load, where one turn of the event loop serves several. */
  cpu: number;
}

/** A request that takes longer has failed. */
const TIMEOUT_MS = 20_000;

/**
 * Offers `rate` requests per second until what `until` begins has been done. A slow response delays no other request, so that a pause of the
 * server counts for all the requests that were due in it.
 */
export async function offer(
  server: Server,
  route: string,
  rate: number,
  until: () => Promise<unknown>,
): Promise<Latency> {
  const { port, cookies } = server;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const times: number[] = [];
  const late: number[] = [];
  let failed = 0;
  let pending = 0;
  const send = (due: number) => {
    late.push(now() - due);
    const cookie = route === "anonymous" ? undefined : cookies[late.length % cookies.length];
    const headers = cookie === undefined ? {} : { cookie };
    pending++;
    const request = get({ agent, port, host: "127.0.0.1", path: `/${route}`, headers, timeout: TIMEOUT_MS });
    request.on("timeout", () => request.destroy(new Error("no response")));
    request.on("response", (response) => {
      if (response.statusCode !== 200) failed++;
      response.resume().on("end", () => times.push(now() - due));
    });
    request.on("error", () => failed++);
    request.on("close", () => pending--);
  };
  const before = await usageOf(server);
  const ticker = new Worker(new URL("ticker.ts", import.meta.url), { workerData: { rate } });
  ticker.on("message", send);
  try {
    // The thread may take a while to start.
    await once(ticker, "message");
    await until();
  } finally {
    await ticker.terminate();
    ticker.off("message", send);
  }
  while (pending > 0) await sleep(1);
  const after = await usageOf(server);
  agent.destroy();
  const requests = late.length;
  const used = after.user + after.system - before.user - before.system;
  return {
    ...{ rate, requests, failed },
    p50: rounded(quantile(times, 0.5)),
    p99: rounded(quantile(times, 0.99)),
    longest: rounded(quantile(times, 1)),
    late: rounded(quantile(late, 0.99)),
    cpu: rounded(used / requests),
  };
}

/** For a time in seconds. */
export function offerFor(server: Server, route: string, rate: number, seconds: number): Promise<Latency> {
  return offer(server, route, rate, () => sleep(seconds * 1000));
}

export interface Turns {
  count: number;
  /** Requests in one turn of one server. */
  requests: number;
}

/**
 * Offers the same rate to each server in turn. Each figure is the median of the turns', since one pause of the machine would
 * be a p99. A server that fails is missing in the result.
 */
export async function offerInTurns(
  servers: readonly Server[],
  route: string,
  rate: number,
  { count, requests }: Turns,
): Promise<Map<Server, Latency>> {
  const turns = new Map<Server, Latency[]>(servers.map((server) => [server, []]));
  await inTurns(servers, count, async (server) => {
    const latency = await offerFor(server, route, rate, requests / rate);
    if (latency.failed > 0) throw new Error(`${latency.failed} requests of /${route} failed`);
    turns.get(server)?.push(latency);
  });
  const whole = [...turns].filter(([, latencies]) => latencies.length === count);
  return new Map(whole.map(([server, latencies]) => [server, typicalOf(latencies)]));
}

function typicalOf(turns: readonly Latency[]): Latency {
  const median = (key: keyof Latency) =>
    quantile(
      turns.map((turn) => turn[key]),
      0.5,
    );
  const sum = (key: keyof Latency) => turns.reduce((total, turn) => total + turn[key], 0);
  return {
    rate: median("rate"),
    requests: sum("requests"),
    failed: sum("failed"),
    p50: median("p50"),
    p99: median("p99"),
    longest: median("longest"),
    late: median("late"),
    cpu: median("cpu"),
  };
}
