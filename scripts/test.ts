// `npm test`: the checks, then every suite in one run, then a summary. `--fast` leaves out what needs servers and takes half a minute.
// Change it to add a stage, or to change the summary. Other arguments go to vitest.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { check } from "./check.ts";
import { bringDebianPackages } from "./debian.ts";
import { repository } from "./packs.ts";
import { step } from "./step.ts";

/** The parts of vitest's JSON report that are read here. */
interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[];
}

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** For the inner loop: tests that need neither a server nor a process of their own. */
const FAST = [
  "--project=runtime",
  "--project=drivers",
  "--project=generator",
  "test/runtime",
  "test/drivers/drivers",
  "test/generator/plan",
  "test/generator/names",
];

function words({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Counts the tests of each group; a file that could not even be loaded counts as a failed test. */
function summarise(file: string): Map<string, Tally> {
  const groups = new Map<string, Tally>();
  const results = JSON.parse(readFileSync(file, "utf8")) as Results;
  for (const { name, status, assertionResults } of results.testResults) {
    const [top, ...inside] = relative(repository, name).split(/[\\/]/);
    // The tests of one backend lie in its pack.
    const group = top === "templates" ? "drivers" : (inside[0] ?? name);
    const tally = groups.get(group) ?? { passed: 0, failed: 0, skipped: 0 };
    groups.set(group, tally);
    for (const { status } of assertionResults) {
      if (status === "passed") tally.passed += 1;
      else if (status === "failed") tally.failed += 1;
      else tally.skipped += 1;
    }
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) tally.failed += 1;
  }
  return groups;
}

async function suites(args: string[], fast: boolean): Promise<Map<string, Tally>> {
  const build = join(repository, ".build");
  const report = join(build, "test-results.json");
  mkdirSync(build, { recursive: true });
  rmSync(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  // test/servers/server.ts reads this.
  if (fast) process.env.TEST_WITHOUT_SERVERS = "1";
  const code = await step(process.execPath, [
    join(repository, "node_modules", "vitest", "vitest.mjs"),
    "run",
    ...reporters,
    ...(fast ? FAST : []),
    ...args,
  ]);
  let summary: Map<string, Tally>;
  try {
    summary = summarise(report);
  } catch (error) {
    console.error(`vitest left no report: ${(error as Error).message}`);
    summary = new Map();
  }
  const failed = [...summary.values()].some((tally) => tally.failed > 0);
  // An error outside of every test, or an interruption.
  if (code !== 0 && !failed) summary.set(`vitest ended with ${code}`, { passed: 0, failed: 1, skipped: 0 });
  return summary;
}

const started = performance.now();
const args = process.argv.slice(2).filter((argument) => argument !== "--fast");
const fast = process.argv.includes("--fast");

const checked = await check(fast);
if (!fast) await bringDebianPackages();
const summary = new Map<string, Tally>([["check", { ...checked, skipped: 0 }], ...(await suites(args, fast))]);

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
console.log("");
for (const [name, tally] of summary) {
  console.log(`${name}: ${words(tally)}`);
  for (const key of ["passed", "failed", "skipped"] as const) total[key] += tally[key];
}
console.log(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
console.log(words(total));
process.exitCode = total.failed ? 1 : 0;
