// Where results are kept: a JSON file for each benchmark, from which the report's tables and charts are made.
// Change it to note something else about the machine.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { repository } from "../../scripts/packs.ts";

export interface Conditions {
  date: string;
  machine: string;
  node: string;
  /** Of the minute before the start: what else the machine did. */
  load: number;
}

export type Results<Content> = Conditions & Content;

export const RESULTS = join(repository, "docs", "benchmarks");

export function conditions(): Conditions {
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, ${memory} GB, ${process.platform} ${release().split(".", 2).join(".")}`,
    node: process.version,
    load: Number(loadavg()[0]?.toFixed(2)),
  };
}

export function save<Content extends object>(folder: string, name: string, results: Results<Content>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(results, null, 1)}\n`);
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
