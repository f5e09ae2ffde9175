// The test servers themselves: a test that breaks one relies on what happens then, and nothing may outlive the run.
// Change it when tests rely on something new that a server does.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { createClient } from "redis";
import { describe, expect, test } from "vitest";
import { type FreshServer, freshServer, server } from "../servers/server.ts";

async function postgres(url: string, text: string, timeout = 2000): Promise<unknown> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeout, query_timeout: timeout });
  // These tests make the server drop connections.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.query(text)).rows[0];
  } finally {
    await client.end();
  }
}

/** Whether anything listens there. */
async function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(20);
}

describe("a server of the test's own", () => {
  test("hangs when paused, and goes on when resumed", async ({ skip }) => {
    const own = (await freshServer("postgres")) ?? skip();
    await own.pause();
    await expect(postgres(own.url, "SELECT 1", 500)).rejects.toThrow(/timeout/);
    await own.resume();
    expect(await postgres(own.url, "SELECT 1 AS one")).toEqual({ one: 1 });
    await own.stop();
    expect(await listens(own.url)).toBe(false);
  });

  test("comes back on the same port with what it had confirmed before it was killed", async ({ skip }) => {
    const own = (await freshServer("postgres", { durable: true })) ?? skip();
    await postgres(own.url, "CREATE TABLE kept AS SELECT 42 AS answer");
    expect(await postgres(own.url, "SHOW fsync")).toEqual({ fsync: "on" });
    await own.kill();
    expect(await listens(own.url)).toBe(false);
    await own.restart();
    expect(await postgres(own.url, "SELECT answer FROM kept")).toEqual({ answer: 42 });
    await own.stop();
  });

  test("keeps its data across a restart exactly if it says so", async ({ skip }) => {
    for (const durable of [true, false]) {
      const own: FreshServer = (await freshServer("redis", { durable })) ?? skip();
      const client = createClient({ url: own.url });
      client.on("error", () => undefined);
      await client.connect();
      await client.set("key", "value");
      await own.kill();
      await own.restart();
      expect(await client.get("key")).toBe(durable ? "value" : null);
      expect(own.keepsData).toBe(durable);
      client.destroy();
      await own.stop();
    }
  });

  test("loses one node of a cluster and no other", async ({ skip }) => {
    const own = (await freshServer("redis-cluster")) ?? skip();
    const [first = "", second = "", third = ""] = own.nodes ?? [];
    await own.kill(1);
    expect(await Promise.all([first, second, third].map(listens))).toEqual([true, false, true]);
    await own.restart(1);
    expect(await listens(second)).toBe(true);
    await own.stop();
  });
});

test("a shared server is the same one for every test", async ({ skip }) => {
  const [one, other] = await Promise.all([server("postgres"), server("postgres")]);
  if (!one || !other) skip();
  expect(other?.url).toBe(one?.url);
});

describe("a server that isn't there", () => {
  const ask = [
    `import { server } from ${JSON.stringify(join(import.meta.dirname, "..", "servers", "server.ts"))};`,
    'console.log((await server("redis")) === undefined);',
  ].join("\n");

  async function run(env: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
    const { CI: _, TEST_SERVERS: __, ...rest } = process.env;
    const child = spawn(process.execPath, ["--input-type=module", "-e", ask], {
      env: { ...rest, PATH: dirname(process.execPath), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, stdout, stderr };
  }

  test("is a skip with its reason on a laptop", async () => {
    const { code, stdout, stderr } = await run({});
    expect({ code, stdout }).toEqual({ code: 0, stdout: "true\n" });
    expect(stderr).toMatch(/no redis: redis-server isn't installed; apt-get install redis-server/);
  });

  test("is a failure in CI", async () => {
    const { code, stderr } = await run({ CI: "true" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no redis to test with/);
  });

  test("is not needed where the user gives one", async () => {
    const { code, stdout } = await run({ CI: "true", TEST_REDIS_URL: "redis://elsewhere:6379" });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "false\n" });
  });
});

describe("nothing outlives the process that started it", () => {
  const use = [
    `import { server } from ${JSON.stringify(join(import.meta.dirname, "..", "servers", "server.ts"))};`,
    'const { url } = (await server("postgres")) ?? {};',
    'console.log(url ?? "none");',
    "setInterval(() => undefined, 1000);",
  ].join("\n");

  test.for(["SIGINT", "SIGTERM", "SIGKILL"] as const)("ended by %s", async (signal, { skip }) => {
    const { TEST_SERVERS: _, ...env } = process.env;
    const child = spawn(process.execPath, ["--input-type=module", "-e", use], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = `${line}`.trim();
    if (url === "none") skip();
    expect(await listens(url)).toBe(true);
    child.kill(signal);
    await once(child, "exit");
    await until(async () => !(await listens(url)));
  });
});
