// Generating a project, as a whole process: this package against create-vite, on the same Node, in turn, in one run.
// Change it to measure another choice. `npm run bench -- create [--rounds N] [--node PATH]`; exit code 1 above the limit.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

/** How long ours may take, in times of create-vite's own. */
const LIMIT = 1.2;

const here = import.meta.dirname;
const initializer = join(here, "../../create-session-app");
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "25" }, node: { type: "string", default: process.execPath } },
});
const rounds = Math.max(Number(values.rounds), 15);

// The bundle is built as it is published. Both contestants write a whole project, install nothing and ask nothing.
execFileSync(process.execPath, [join(initializer, "build.ts")]);
const contestants = {
  "an empty file": [join(here, "empty.cjs")],
  "create-vite": [join(here, "node_modules/create-vite/index.js"), "app", "--template", "react-ts", "--no-interactive"],
  "create-session-app": [
    join(initializer, "dist/cli.cjs"),
    "app",
    ...["--framework", "express", "--backend", "sqlite", "--no-install", "--no-git"],
  ],
};

function once(parameters: string[]): { milliseconds: number; files: number } {
  const cwd = mkdtempSync(join(tmpdir(), "bench-create-"));
  try {
    const started = performance.now();
    const { status, stderr } = spawnSync(values.node, parameters, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const milliseconds = performance.now() - started;
    if (status !== 0) throw new Error(`${parameters[0]} exited with ${status}: ${stderr}`);
    return {
      milliseconds,
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

const times = new Map<string, number[]>();
const files = new Map<string, number>();
for (let round = -1; round < rounds; round++) {
  for (const [name, parameters] of Object.entries(contestants)) {
    const result = once(parameters);
    files.set(name, result.files);
    // The first round only warms the disk's cache.
    if (round >= 0) times.set(name, [...(times.get(name) ?? []), result.milliseconds]);
  }
}

const version = execFileSync(values.node, ["--version"], { encoding: "utf8" }).trim();
const load = loadavg()[0]?.toFixed(1);
console.log(
  `Node ${version}, ${availableParallelism()} processors, load ${load}, ${rounds} rounds in turn, milliseconds:`,
);
for (const [name, measured] of times) {
  const [low, median, high] = [0, 0.5, 0.75].map((part) => quantile(measured, part).toFixed(1));
  console.log(
    `${name.padEnd(20)} median ${median}  fastest ${low}  three quarters below ${high}  files ${files.get(name)}`,
  );
}
const ratio = (part: number) =>
  quantile(times.get("create-session-app") ?? [], part) / quantile(times.get("create-vite") ?? [], part);
console.log(`create-session-app / create-vite: medians ${ratio(0.5).toFixed(2)}, fastest ${ratio(0).toFixed(2)}`);
if (ratio(0.5) > LIMIT) process.exitCode = 1;
