// Type-checks the repository and every framework x backend pair, each pair as the project that it would become.
// Change it when a pair consists of other folders, or when the repository's own code moves. `typecheck.ts express-sqlite` checks one pair.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Pair, packs, pairs, repository, roots } from "./packs.ts";

interface Check {
  name: string;
  config: string;
}

const AT_ONCE = 2;
/** What a project's own tsconfig.json leaves to its owner, who may turn it on (P1). */
const STRICTER = { exactOptionalPropertyTypes: true, noPropertyAccessFromIndexSignature: true };
const build = join(repository, ".build", "types");

function check(name: string, extended: string, rootDirs: string[], include: string[], options = {}): Check {
  const folder = join(build, name);
  const there = (path: string) => relative(folder, join(repository, path));
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "tsconfig.json");
  const exclude = [
    "**/node_modules",
    "**/dist",
    "**/*.cjs",
    ".build",
    "test/servers/couchdb",
    "test/generator/fixtures",
    "test/recipes/apps",
  ].map(there);
  const content = {
    extends: there(extended),
    compilerOptions: { noEmit: true, rootDirs: rootDirs.map(there), ...options },
    include: include.map(there),
    exclude,
  };
  writeFileSync(config, `${JSON.stringify(content, undefined, 2)}\n`);
  return { name, config };
}

/** Checks code of the repository's own, which may import from any pack. */
function ownCheck(name: string, include: string[]): Check {
  const ofPacks = (["backends", "frameworks"] as const).flatMap((kind) =>
    packs(kind).map((id) => `templates/${kind}/${id}/files`),
  );
  return check(
    name,
    "tsconfig.json",
    ["runtime", "templates/base/files", "templates/base/move", ...ofPacks],
    [...include, "*.ts", "plopfile.js"],
  );
}

function ownChecks(): Check[] {
  const own = ["scripts", "test", "create-session-app", "runtime/src"];
  own.push("templates/backends/*/test", "templates/*/*/conformance.ts");
  // The peers that the benchmarks measure against are installed when a benchmark runs; without them its types are unknown.
  const bench = existsSync(join(repository, "bench/node_modules")) ? [ownCheck("bench", ["bench"])] : [];
  return [ownCheck("repository", own), ...bench];
}

function pairCheck(pair: Pair): Check {
  const projects = "templates/base/files/tsconfig.json";
  const strictest = existsSync(join(repository, projects)) ? projects : "tsconfig.base.json";
  const include = [
    "runtime/src",
    ...roots(pair).slice(1),
    `templates/frameworks/${pair.framework}/handlers.types.ts`,
  ].filter((path) => existsSync(join(repository, path)));
  return check(`${pair.framework}-${pair.backend}`, strictest, roots(pair), include, STRICTER);
}

const compiler = join(repository, "node_modules", "typescript", "bin", "tsc");

/** Resolves to the compiler's errors, as text; to an empty string if there are none. */
function compile({ config }: Check): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [compiler, "-p", config, "--pretty", "false"], { cwd: repository });
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    child.stderr.on("data", (text) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve(code === 0 ? "" : output || `tsc ended with ${code}`));
  });
}

const wanted = process.argv.slice(2);
rmSync(build, { recursive: true, force: true });
const all = [...ownChecks(), ...pairs().map(pairCheck)];
const queue = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const started = performance.now();
let failed = 0;

async function work(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const complaints = await compile(next);
    if (!complaints) continue;
    failed += 1;
    console.error(`types: ${next.name}\n${complaints}`);
  }
}

const total = queue.length;
if (total === 0) {
  console.error(`types: no such pair; there are ${all.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
await Promise.all(Array.from({ length: AT_ONCE }, work));
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`types: ${total - failed} of ${total} without an error (${seconds} s)`);
process.exitCode = failed ? 1 : 0;
