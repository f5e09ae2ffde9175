// Runs the black-box suite against assembled projects: each framework on SQLite and in memory.
// HTTP_PAIRS=koa-redis,hono-sqlite chooses others. Only backends without a server run here by default; test/projects runs every pair.

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Pair, packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Client, tokensSeen } from "./client.ts";
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
    expect(project?.output ?? "", "no error was logged that no test noticed").not.toMatch(/\n\s+at |Error:/);
  });

  httpSuite({
    name: `${pair.framework} x ${pair.backend}`,
    url: () => project?.url ?? "",
    restart: pair.backend === "memory" ? undefined : async () => project?.restart(),
    persistent: pair.backend !== "memory",
  });

  describe("and after all of it over HTTP", () => {
    test("S1: no token and no password of the whole run is in the app's log", async () => {
      const client = new Client(() => project?.url ?? "");
      const password = randomBytes(12).toString("hex");
      await client.post("/login", { json: { userid: "ann", password } });
      await client.post("/login", {
        body: `{"password":"${password}"`,
        headers: { "content-type": "application/json" },
      });
      await client.post("/login", { form: { userid: "ann", password: "demo" } });
      const [cookie = ""] = client.cookies.values();
      // A token that a client sends in the wrong place isn't logged either.
      for (const path of [`/session?token=${cookie}`, `/${cookie}`, `/%zz${cookie}`]) await client.get(path);
      await client.delete("/sessions");
      await client.post("/logout");
      client.close();
      const secrets = [...tokensSeen].map((token) => token.slice(22));
      expect(secrets).toContain(cookie.slice(22));
      expect([password, ...secrets].filter((secret) => project?.output.includes(secret))).toEqual([]);
      expect(project?.output, "it does log").toContain("session.created");
    });
  });
});
