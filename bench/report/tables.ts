// The tables of docs/performance.md, from the results in docs/benchmarks.
// Change a column here, and run `npm run bench -- report`.

import type { Day } from "../day/run.ts";
import type { Latency } from "../measuring/load.ts";
import type { Conditions, Results } from "../measuring/results.ts";
import { IN_A_STAND_IN, NO_AIM } from "../peers/matches.ts";
import type { Cost, Peers } from "../peers/run.ts";
import type { Scale } from "../scale/run.ts";

type Cell = string | number;

function table(head: string[], rows: Cell[][]): string {
  const line = (cells: Cell[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** How many processors others may have kept busy. */
const AT_REST = 0.2;

function measuredOn({ date, machine, node, busy }: Conditions): string {
  const others =
    busy > AT_REST
      ? ` The machine did other work (${busy} of its processors were busy with that, where it was looked at): the ratios are rough, the latencies rougher.`
      : " The machine did nothing else.";
  return `Measured on ${date}; ${machine}; Node ${node}.${others}`;
}

export const nameOf = (who: string) => ({ bare: "no sessions", lookup: "a look-up by key" })[who] ?? who;

const inMicroseconds = ({ user, system }: Cost) =>
  `${(user + system).toFixed(1)} (${user.toFixed(1)} + ${system.toFixed(1)})`;

export function peerTables(peers: Results<Peers>): string {
  const { method, comparisons, traffic, footprints } = peers;
  const costs = comparisons.map(({ framework, backend, route, against, ours, theirs, ratio, aim }) => [
    ...[framework, backend, route, nameOf(against), inMicroseconds(ours), inMicroseconds(theirs)],
    ...[ratio.median, `${ratio.lowerQuartile} to ${ratio.upperQuartile}`, ratio.minimum],
    aim === NO_AIM ? "" : ratio.median < aim ? `${aim}, missed` : aim,
  ]);
  const latencies = comparisons.map(({ framework, backend, route, against, latency: { ours, theirs } }) => [
    ...[framework, backend, route, nameOf(against), ours.rate, ours.requests],
    ...[`${ours.p50} / ${theirs.p50}`, `${ours.p99} / ${theirs.p99}`, `${ours.cpu} / ${theirs.cpu}`],
  ]);
  const late = Math.max(...comparisons.flatMap(({ latency: { ours, theirs } }) => [ours.late, theirs.late]));
  const sent = traffic.map(({ backend, who, route, statements, trips, bytes }) => [
    ...[backend, route, nameOf(who), statements],
    ...(backend === "sqlite" ? ["", ""] : [trips, bytes]),
  ]);
  const taken = footprints.map(({ framework, backend, who, bytes }) => [framework, backend, who, bytes]);
  return [
    "### Against peers",
    `${measuredOn(peers)} Each server got ${method.warmUp.toLocaleString("en")} requests before it was measured (${IN_A_STAND_IN.warmUp.toLocaleString("en")} with MongoDB and CouchDB, whose stand-ins are slow), then ${method.rounds} rounds of 2,000 (${IN_A_STAND_IN.requests}) in turn with the others, over 32 connections; all that in ${method.starts} processes, one after the other. ` +
      "The ratio is the other's CPU time for a request divided by ours, round by round: above 1 ours takes less. CPU time is the app's process alone, not the store's server.",
    table(
      [
        ...["framework", "store", "request", "against", "CPU µs, ours (user + system)", "theirs"],
        ...["ratio, median", "quartiles", "minimum", "aim"],
      ],
      costs,
    ),
    ...peers.skipped.map((reason) => `Not measured: ${reason}.`),
    ...peers.failures.map((failure) => `Failed: ${failure}.`),
    `Latency, from the moment at which a request was due, at a rate that all of them can serve. Each figure is the median of ${method.turns} turns of ${method.turnRequests} requests. ` +
      `The load itself sent 99 % of its requests on time, or at most ${late} ms late where that was worst; it is part of the figures. CPU time is higher here, where one turn of the event loop serves one request.`,
    table(
      [
        ...["framework", "store", "request", "against", "requests/s", "requests"],
        ...["p50 ms, ours / theirs", "p99 ms, ours / theirs", "CPU µs, ours / theirs"],
      ],
      latencies,
    ),
    "What one request sends to the store, in both directions together:",
    table(["store", "request", "contender", "statements", "round trips", "bytes"], sent),
    `What a session with 1 kB of data takes, ${footprints[0]?.sessions.toLocaleString("en")} of them made: bytes of the process's heap in memory, else bytes of table and indexes in the store.`,
    table(["framework", "store", "contender", "bytes"], taken),
  ].join("\n\n");
}

export function scaleTables(scale: Results<Scale>): string {
  const latency = ({ p50, p99 }: Latency) => `${p50} / ${p99}`;
  const { method, stores } = scale;
  const spread = (ratio: { median: number; lowerQuartile: number; upperQuartile: number } | undefined) =>
    ratio === undefined ? "1" : `${ratio.median} (${ratio.lowerQuartile} to ${ratio.upperQuartile})`;
  const sizes = stores.flatMap(({ backend, sizes: measured }) =>
    measured.map((size) => [
      ...[backend, size.rows.toLocaleString("en"), size.bytesPerSession, size.rate, spread(size.ratio?.rate)],
      ...[size.cpu, spread(size.ratio?.cpu), latency(size.latency)],
      ...[`${size.users.list.p50} / ${size.users.list.p99}`, `${size.users.end.p50} / ${size.users.end.p99}`],
    ]),
  );
  const purges = stores.flatMap(({ backend, purge }) =>
    purge === undefined
      ? []
      : [
          [
            ...[backend, purge.purged.toLocaleString("en"), purge.seconds],
            ...[latency(purge.before), latency(purge.during), (purge.during.p99 / purge.before.p99).toFixed(2)],
            ...[purge.longestPauseBefore, purge.longestPause],
          ],
        ],
  );
  const processes = stores.flatMap(({ backend, processes: measured }) =>
    measured.map((each) => [
      ...[backend, each.processes, each.latency.rate, latency(each.latency), each.latency.cpu, each.latency.failed],
    ]),
  );
  const { users } = stores[0]?.sizes[0] ?? {};
  return [
    "### Many sessions",
    `${measuredOn(scale)} Sessions of 300 bytes of data, read through Express. ${method.rounds} rounds of ${method.requests.toLocaleString("en")} reads in turn, over 32 connections; latencies are medians of ${method.turns} turns of ${method.turnRequests} requests at ${stores[0]?.sizes[0]?.latency.rate}/s. ` +
      "Ratios compare with the smallest store, round by round: 1 is the same, less is slower. Reads per second include the work of the store's server, CPU time doesn't.",
    table(
      [
        ...[
          "store",
          "sessions",
          "bytes per session",
          "reads/s",
          "ratio (quartiles)",
          "CPU µs a read",
          "ratio (quartiles)",
        ],
        ...["p50 / p99 ms", "list a user's, p50 / p99 ms", "end a user's, p50 / p99 ms"],
      ],
      sizes,
    ),
    `A user has one live session or two; ${users?.users} users from all over the store, one after the other.`,
    "Purging the expired half while the same process serves reads at the same rate (Redis expires them by itself). The aim is a p99 of at most twice that before, and no pause over 50 ms:",
    table(
      [
        ...["store", "purged", "seconds", "p50 / p99 ms before", "during", "p99, ratio"],
        ...["longest pause of the event loop before, ms", "during"],
      ],
      purges,
    ),
    "The same rate of writes, shared by several processes on one store (the latencies are those of the slowest process):",
    table(["store", "processes", "writes/s", "p50 / p99 ms", "CPU µs a write", "failed"], processes),
    ...scale.skipped.map((reason) => `Not measured: ${reason}.`),
    ...scale.failures.map((failure) => `Failed: ${failure}.`),
  ].join("\n\n");
}

export function dayTable(day: Results<Day>): string {
  const rows = Object.entries(day.days).map(([name, { hours, statements, writes, signedOut }]) => [
    ...[
      name,
      Math.max(...hours.map((hour) => hour.rows)),
      statements.toLocaleString("en"),
      writes.toLocaleString("en"),
      signedOut,
    ],
  ]);
  const { requests } = day;
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  return [
    "### A day of a busy site",
    `${day.visitors.toLocaleString("en")} visitors make ${total.toLocaleString("en")} requests, ${requests.crawler.toLocaleString("en")} of them by crawlers, through both, by the same virtual clock (${day.date}, Node ${day.node}). ` +
      "Both keep sessions in SQLite for two hours without a request; express-session has the settings that its documentation recommends.",
    table(["sessions", "rows at most", "statements", "of them writing", "signed out too early"], rows),
  ].join("\n\n");
}
