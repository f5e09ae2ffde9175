// Generating a project, as a whole process: this package against create-vite, on the same Node, in turn, in one run.
// Change it to measure another choice. `npm run bench -- create [--rounds N] [--node PATH]`; exit code 1 above the limit.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

/** How long ours may take, in times of create-vite's own. */
const LIMIT = 1.2;

const here = import.meta.dirname;
const initializer = join(here, "../../create-session-app");
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "51" }, node: { type: "string", default: process.execPath } },
});
const rounds = Math.max(Number(values.rounds), 15);

// The bundle is built as it is published. Both contestants write a whole project, install nothing and ask nothing.
execFileSync(process.execPath, [join(initializer, "build.ts")]);
const OURS = "create-session-app";
const THEIRS = "create-vite";
const contestants = {
  "an empty file": [join(here, "empty.cjs")],
  [THEIRS]: [join(here, "node_modules/create-vite/index.js"), "app", "--template", "react-ts", "--no-interactive"],
  [OURS]: [
    join(initializer, "dist/cli.cjs"),
    "app",
    ...["--framework", "express", "--backend", "sqlite", "--no-install", "--no-git"],
  ],
};

/*
  Projects are made in memory where there is such a file system. On ext4, making a file takes ten times as long while many others have
  just been removed, as they are here after each round, and that would be measured instead.
*/
const folder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

interface Run {
  /** Of the whole process, user and system. Unlike the time on the clock, other programs hardly change it. */
  processorMs: number;
  clockMs: number;
  files: number;
}

/** Bash measures what a program and all its threads have used, its end included, and writes that to descriptor 3. */
const TIMED = 'TIMEFORMAT="%3U %3S"; { time "$0" "$@" 2>&4; } 4>&2 2>&3';

function once(parameters: string[]): Run {
  const cwd = mkdtempSync(join(folder, "bench-create-"));
  try {
    const started = performance.now();
    const { status, stderr, output } = spawnSync("bash", ["-c", TIMED, values.node, ...parameters], {
      cwd,
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const clockMs = performance.now() - started;
    if (status !== 0) throw new Error(`${parameters[0]} exited with ${status}: ${stderr}`);
    const [user = Number.NaN, system = Number.NaN] = String(output[3]).trim().split(" ").map(Number);
    return {
      processorMs: (user + system) * 1000,
      clockMs,
      files: readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length,
    };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
}

/** "median 1.15 (half of them between 1.13 and 1.18)" */
function spread(numbers: readonly number[], digits: number): string {
  const [low, median, high] = [0.25, 0.5, 0.75].map((part) => quantile(numbers, part).toFixed(digits));
  return `median ${median} (half of them between ${low} and ${high})`;
}

const runs = new Map<string, Run[]>(Object.keys(contestants).map((name) => [name, []]));
for (let round = -1; round < rounds; round++) {
  const inTurn = Object.entries(contestants);
  // Whoever runs after another one finds its remains in the processor's caches, so the order changes.
  if (round % 2 === 0) inTurn.reverse();
  for (const [name, parameters] of inTurn) {
    const run = once(parameters);
    // The first round only warms the disk's cache.
    if (round >= 0) runs.get(name)?.push(run);
  }
}

const version = execFileSync(values.node, ["--version"], { encoding: "utf8" }).trim();
const load = loadavg()[0]?.toFixed(1);
console.log(`Node ${version}, ${availableParallelism()} processors, load ${load}, ${rounds} rounds in turn`);
for (const [name, measured] of runs) {
  const processor = measured.map(({ processorMs }) => processorMs);
  const clock = measured.map(({ clockMs }) => clockMs);
  console.log(
    `${name}, ${measured[0]?.files} files: ms of processor time ${spread(processor, 1)}, least ${quantile(processor, 0).toFixed(1)}; ms on the clock ${spread(clock, 1)}`,
  );
}
const ours = runs.get(OURS) ?? [];
const theirs = runs.get(THEIRS) ?? [];
const ratios = (measure: "processorMs" | "clockMs") =>
  ours.map((run, round) => run[measure] / (theirs[round]?.[measure] ?? Number.NaN));
console.log(`${OURS} / ${THEIRS}, processor time, round by round: ${spread(ratios("processorMs"), 2)}`);
console.log(`${OURS} / ${THEIRS}, on the clock, round by round: ${spread(ratios("clockMs"), 2)}`);
if (quantile(ratios("processorMs"), 0.5) > LIMIT) process.exitCode = 1;
