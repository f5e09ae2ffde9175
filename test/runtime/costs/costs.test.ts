// Holds what a request costs to costs.json, without a clock, so that a request can't become dearer unnoticed.
// After an intended change: `UPDATE_COSTS=1 npx vitest run --project runtime test/runtime/costs` writes the file anew.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backends } from "../backends.ts";
import { type Cost, type Costs, measureCosts } from "./measure.ts";

/**
 * How much more than recorded is accepted, as a factor. Statements and round trips are exact. Bytes on the wire differ by the
 * lengths of numbers and names. Allocations are the same in every run of one version of Node and of the store's client; what
 * arrives from a socket in two pieces instead of one, and another patch release of either, moves them by some percent.
 */
const TOLERANCE: Cost = { statements: 1, roundTrips: 1, wireBytes: 1.05, allocatedBytes: 1.1 };

const file = join(import.meta.dirname, "costs.json");
const recorded = (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as Record<string, Costs>;

test.for(backends)(
  "S5 S6 S10: a request on %s costs no more than was recorded",
  { timeout: 180_000 },
  async (backend, { skip }) => {
    const costs = await measureCosts(backend);
    if (costs === undefined) return skip(`there is no server for ${backend} here`);
    if (process.env.UPDATE_COSTS) {
      recorded[backend] = costs;
      writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
    }
    const dearer: string[] = [];
    for (const [kind, cost] of Object.entries(costs)) {
      for (const [what, value] of Object.entries(cost) as [keyof Cost, number][]) {
        const before = recorded[backend]?.[kind]?.[what] ?? 0;
        if (value > before * TOLERANCE[what]) dearer.push(`${kind}: ${what} ${value}, recorded ${before}`);
      }
    }
    expect(dearer).toEqual([]);
  },
);
