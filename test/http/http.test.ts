// Runs the black-box suite against assembled projects: each framework on SQLite and in memory.
// HTTP_PAIRS=koa-redis,hono-sqlite chooses others. Those whose backend needs no server run here, test/projects runs every pair.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { type Pair, packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";
import { httpSuite } from "./suite.ts";

const pairs: Pair[] = process.env.HTTP_PAIRS
  ? process.env.HTTP_PAIRS.split(",").map((name) => {
      const [framework = "", backend = ""] = name.split("-");
      return { framework, backend };
    })
  : packs("frameworks").flatMap((framework) => ["memory", "sqlite"].map((backend) => ({ framework, backend })));

describe.each(pairs)("$framework x $backend", (pair) => {
  let project: Project | undefined;

  beforeAll(async () => {
    project = new Project(await assemble(pair, "http"));
    await project.start();
  });

  afterAll(async () => {
    await project?.stop();
    expect(project?.output ?? "", "nothing went wrong without anybody noticing").not.toMatch(/\n\s+at |Error:/);
  });

  httpSuite({
    name: `${pair.framework} x ${pair.backend}`,
    url: () => project?.url ?? "",
    restart: pair.backend === "memory" ? undefined : async () => project?.restart(),
    persistent: pair.backend !== "memory",
  });
});
