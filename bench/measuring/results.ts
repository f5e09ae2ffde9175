// Where results are kept: a JSON file for each benchmark, from which the report's tables and charts are made.
// Change it to note something else about the machine.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repository } from "../../scripts/packs.ts";

export interface Conditions {
  date: string;
  machine: string;
  node: string;
  /** How many processors others kept busy, at the start or between parts: the most that was seen. */
  busy: number;
}

export type Results<Content> = Conditions & Content;

export const RESULTS = join(repository, "docs", "benchmarks");

const IDLE_MS = 1000;

/** How many processors are busy. Takes a second, in which the benchmark itself must do nothing. */
export async function othersBusy(): Promise<number> {
  const before = busyMs();
  await sleep(IDLE_MS);
  return rounded((busyMs() - before) / IDLE_MS);
}

export async function conditions(): Promise<Conditions> {
  const busy = await othersBusy();
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, ${memory} GB, ${process.platform} ${release().split(".", 2).join(".")}`,
    node: process.version,
    busy,
  };
}

function busyMs(): number {
  return cpus().reduce((total, { times: { user, nice, sys, irq } }) => total + user + nice + sys + irq, 0);
}

/** A part of a benchmark (`only`) replaces no whole one. */
export function save<Content extends object>(
  { out, only = "" }: { out: string; only?: string },
  name: string,
  results: Results<Content>,
): void {
  if (only !== "" && out === RESULTS) return;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify(results, null, 1)}\n`);
}

/** Undefined where the benchmark has not been run. */
export function load<Content>(folder: string, name: string): Results<Content> | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Results<Content>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Three significant digits are more than such machines give. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
