// What the tests of atomicity share: runs that are interfered with at one of their changes to the disk.
// Change it together with interference.cjs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finished } from "./sandbox.ts";
import { repository, runCli, temporaryFolder } from "./sandbox.ts";

export const MINUTES = 60_000;

/** Runs a program in `cwd`, with interference.cjs at work in it. */
export function interfere(
  program: string,
  cwd: string,
  parameters: string[],
  interference: object,
  count?: string,
): Promise<Finished> {
  const hook = join(repository, "test/generator/interference.cjs");
  const env = {
    NODE_OPTIONS: `--require ${hook}`,
    INTERFERENCE: JSON.stringify(interference),
    INTERFERENCE_COUNT: count,
  };
  return runCli(program, parameters, { cwd, env });
}

/** How many changes to the disk a run makes that nobody disturbs. */
export async function countChanges(program: string, cwd: string, parameters: string[]): Promise<number> {
  const count = join(temporaryFolder(), "count");
  const { code, stderr } = await interfere(program, cwd, parameters, {}, count);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return Number(readFileSync(count, "utf8"));
}

/** Two at a time: the machine has other things to do. */
export async function forEach<Item>(items: readonly Item[], check: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const work = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await check(item);
  };
  await Promise.all([work(), work()]);
}

export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
