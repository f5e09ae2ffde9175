// Deals all pairs out to two test files, so that both cores work.
// Change it to deal them out to more. PAIRS=express-sqlite,koa-redis runs only those.

import { test } from "vitest";
import { pairs } from "../../scripts/packs.ts";
import { pairTests } from "./pair.ts";

export async function share(index: number, of: number): Promise<void> {
  const wanted = process.env.PAIRS?.split(",");
  const named = pairs().filter(({ framework, backend }) => !wanted || wanted.includes(`${framework}-${backend}`));
  const own = named.filter((_, position) => position % of === index);
  for (const pair of own) await pairTests(pair);
  if (own.length === 0) test.skip("PAIRS names no pair for this file");
}
