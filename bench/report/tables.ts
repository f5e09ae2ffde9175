// The tables of docs/performance.md, from the results in docs/benchmarks.
// Change a column here, and run `npm run bench -- report`.

import type { Day } from "../day/run.ts";
import type { Latency } from "../measuring/load.ts";
import type { Conditions, Results } from "../measuring/results.ts";
import type { Comparison, Peers } from "../peers/run.ts";
import type { Scale } from "../scale/run.ts";

type Cell = string | number;

function table(head: string[], rows: Cell[][]): string {
  const line = (cells: Cell[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function measuredOn({ date, machine, node, load }: Conditions): string {
  const busy =
    load > 0.5
      ? ` The machine did other work at the time (load ${load}): the ratios are rough, the latencies rougher.`
      : "";
  return `Measured on ${date}; ${machine}; Node ${node}.${busy}`;
}

export const nameOf = (who: string) => ({ bare: "no sessions", lookup: "a look-up by hand" })[who] ?? who;

export function peerTables(peers: Results<Peers>): string {
  const cpu = ({ user, system }: Comparison["ours"]) => Math.round(user + system);
  const rows = peers.comparisons.map(({ framework, backend, route, against, ours, theirs, ratio, aim, latency }) => [
    ...[framework, backend, route, nameOf(against), cpu(ours), cpu(theirs)],
    `${ratio.median} (${ratio.lowerQuartile} to ${ratio.upperQuartile})`,
    ratio.median < aim ? `${aim}, missed` : aim,
    ...[
      `${latency.ours.p50} / ${latency.theirs.p50}`,
      `${latency.ours.p99} / ${latency.theirs.p99}`,
      latency.ours.rate,
    ],
  ]);
  const head = ["framework", "store", "request", "against", "CPU µs, ours", "theirs", "ratio (quartiles)", "aim"];
  const latencies = ["p50 ms, ours / theirs", "p99 ms, ours / theirs", "at requests/s"];
  const traffic = peers.traffic.map(({ backend, who, route, statements, trips, bytes }) => [
    ...[backend, route, nameOf(who), statements],
    ...(backend === "sqlite" ? ["", ""] : [trips, bytes]),
  ]);
  const rounds = peers.comparisons[0]?.rounds;
  return [
    "### Against peers",
    `${measuredOn(peers)} The ratio is the peer's CPU time for a request divided by ours, the median of ${rounds} rounds in turn: above 1 ours takes less.`,
    table([...head, ...latencies], rows),
    ...peers.skipped.map((reason) => `Not measured: ${reason}.`),
    "What one request sends to the store:",
    table(["store", "request", "contender", "statements", "round trips", "bytes"], traffic),
  ].join("\n\n");
}

export function scaleTables(scale: Results<Scale>): string {
  const latency = ({ p50, p99 }: Latency) => `${p50} / ${p99}`;
  const sizes = scale.stores.flatMap(({ backend, sizes: measured }) =>
    measured.map((size) => [
      ...[backend, size.rows.toLocaleString("en"), size.bytesPerSession, size.cpu, size.ratio, latency(size.latency)],
    ]),
  );
  const purges = scale.stores.map(({ backend, purge }) => [
    ...[backend, purge.purged.toLocaleString("en"), purge.seconds, latency(purge.before), latency(purge.during)],
    ...[purge.longestPauseBefore, purge.longestPause],
  ]);
  const processes = scale.stores.flatMap(({ backend, processes: measured }) =>
    measured.map((each) => [
      backend,
      each.processes,
      each.latency.rate,
      latency(each.latency),
      each.cpu,
      each.latency.failed,
    ]),
  );
  return [
    "### Many sessions",
    `${measuredOn(scale)} Sessions of 300 bytes of data, read through Express. The ratio compares the CPU time of a read with that of the smallest store, in rounds in turn: 1 is the same.`,
    table(["store", "sessions", "bytes per session", "CPU µs a read", "ratio", "p50 / p99 ms"], sizes),
    "Purging the expired half while the same process serves reads at the same rate (Redis expires them by itself):",
    table(
      [
        "store",
        "purged",
        "seconds",
        "p50 / p99 ms before",
        "during",
        "longest pause of the event loop before, ms",
        "during",
      ],
      purges,
    ),
    "The same rate of writes, shared by several processes on one store:",
    table(["store", "processes", "writes/s", "p50 / p99 ms", "CPU µs a write", "failed"], processes),
    ...scale.skipped.map((reason) => `Not measured: ${reason}.`),
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
