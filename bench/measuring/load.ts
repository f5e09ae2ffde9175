// Requests at a fixed rate, whatever the server does, and how long each of them took.
// Change it to send another kind of request.

import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds. */
export interface Latency {
  /** Requests per second that were offered. */
  rate: number;
  p50: number;
  p99: number;
  longest: number;
  failed: number;
}

/** How often requests that are due are sent. */
const TICK_MS = 2;

export interface Target {
  port: number;
  cookies: readonly string[];
}

/**
 * Offers `rate` requests per second until `until` resolves. A slow response delays no other request, so that a pause of the
 * server counts for all the requests that fell into it.
 */
export async function offer(target: Target, route: string, rate: number, until: Promise<unknown>): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const times: number[] = [];
  let failed = 0;
  let sent = 0;
  let pending = 0;
  let ended = false;
  until.then(() => {
    ended = true;
  });
  const send = () => {
    const start = performance.now();
    const cookie = route === "anonymous" ? undefined : target.cookies[sent % target.cookies.length];
    sent++;
    pending++;
    const request = get({
      agent,
      port: target.port,
      host: "127.0.0.1",
      path: `/${route}`,
      headers: cookie === undefined ? {} : { cookie },
    });
    request.on("response", (response) => {
      if (response.statusCode !== 200) failed++;
      response.resume().on("end", () => {
        times.push(performance.now() - start);
        pending--;
      });
    });
    request.on("error", () => {
      failed++;
      pending--;
    });
  };
  const begin = performance.now();
  while (!ended) {
    const due = Math.floor(((performance.now() - begin) * rate) / 1000);
    while (sent < due) send();
    await sleep(TICK_MS);
  }
  while (pending > 0) await sleep(TICK_MS);
  agent.destroy();
  const sorted = Float64Array.from(times).sort();
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  return { rate, p50: at(0.5), p99: at(0.99), longest: at(1), failed };
}
