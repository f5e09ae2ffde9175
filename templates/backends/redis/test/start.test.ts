// What the Redis driver finds out at the start: permissions, a full server, a replica, a policy that evicts sessions.
// Change it when requests need another permission; the README lists them.

import { createClient } from "redis";
import { afterEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, endEverySession, HOUR, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import type { StoreSettings } from "../files/src/store/settings.ts";
import { collectWarnings, listAll, open, prefix, SharedServer, send, TIMEOUT } from "./support.ts";

const COMMANDS =
  "+hgetall +hmget +zrange +zrem +unlink +scan +ping +info +evalsha +eval +exists +hset +hdel +hincrby +hget +del +pexpire +zadd +zremrangebyscore";
const RULES = [`~${prefix}:*`, ...COMMANDS.split(" ")];

describe("redis permissions", () => {
  const shared = new SharedServer();

  afterEach(async () => void (await shared.command("ACL", "DELUSER", "app")));

  test.each(["", "/1"])("P6: the permissions that the README lists are enough, for database %j", async (database) => {
    const settings = await shared.userWith(database ? [...RULES, "+select"] : RULES);
    const url = new URL(settings.urls[0] as string);
    url.pathname = database;
    const warnings = collectWarnings();
    const driver = open({ ...settings, urls: [url.href] });
    await driver.setup();
    const row = await createRow(driver, { userid: "permitted", data: '{"a":1}' });
    const change = {
      now: START,
      set: set({ b: 2 }),
      remove: ["a"],
      userid: "other",
      idle: HOUR,
      touch: { lifetime: HOUR },
    };
    expect(await driver.change(row.id, change)).toBe("done");
    expect(await driver.listByUser("other", START, 10)).toHaveLength(1);
    expect(await listAll(driver)).toHaveLength(1);
    expect(await driver.stats(START)).toMatchObject({ live: 1, signedIn: 1 });
    expect(await driver.endByUser("other", 10)).toEqual([row.id]);
    await createRow(driver);
    expect(await endEverySession(driver)).toBe(1);
    await driver.ping();
    expect(warnings).toEqual([]);
  });

  test.each([
    "+evalsha",
    "+hset",
    "+hincrby",
    "+zadd",
    "+zrange",
    "+hmget",
    "+hgetall",
    "+del",
    "+zrem",
    `~${prefix}:*`,
  ])("P6, F11: check finds that %s is not granted", async (lacking) => {
    const driver = open(await shared.userWith(RULES.filter((rule) => rule !== lacking)));
    const error = await failure(driver.check());
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^REDIS_URL: Redis at .* denies the user a permission \([^\n]*\)$/);
  });

  test("F11: an app that may not ask for the policy starts, and says what to make sure of", async () => {
    const warnings = collectWarnings();
    await open(await shared.userWith(RULES.filter((rule) => rule !== "+info"))).check();
    await waitFor(() => warnings.length > 0);
    expect(warnings).toEqual([expect.stringMatching(/^The app's user may not ask .* noeviction\.$/)]);
  });
});

describe("redis start on a server of its own", () => {
  const servers: FreshServer[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  async function start(): Promise<StoreSettings> {
    const server = await freshServer("redis");
    if (!server) throw new Error("no redis server here");
    servers.push(server);
    return { urls: [server.url], sentinels: [], prefix };
  }

  const configure = async (settings: StoreSettings, name: string, value: string) =>
    await send(settings.urls[0] as string, "CONFIG", "SET", name, value);

  async function writes(driver: SessionDriver): Promise<boolean> {
    return await createRow(driver).then(
      () => true,
      () => false,
    );
  }

  test.each([
    ["full", "maxmemory", "1", "0", /OOM/],
    ["without the replicas that it wants", "min-replicas-to-write", "1", "0", /NOREPLICAS/],
  ])("F11, F1: an app starts while Redis is %s, says so, reads, and writes as soon as it can", async (...given) => {
    const [, name, refusing, usual, reason] = given;
    const settings = await start();
    const before = open(settings);
    const row = await createRow(before, { userid: "reader", data: '{"a":1}' });
    await before.listByUser("reader", START, 1);
    await configure(settings, name, refusing);
    const warnings = collectWarnings();
    const driver = open(settings, TIMEOUT);
    await driver.setup();
    await waitFor(() => warnings.length > 0);
    expect(warnings[0]).toMatch(reason);
    expect(warnings[0]).toMatch(
      /^Redis at [^\n]*\. Sessions can be read, but none can be started or changed for now\.$/,
    );
    expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
    const error = await failure(driver.change(row.id, { now: START, set: set({ b: "x".repeat(1000) }) }));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(reason);
    await configure(settings, name, usual);
    await waitFor(() => writes(driver));
  });

  test.each([
    ["allkeys-lru", 1],
    ["volatile-ttl", 1],
    ["noeviction", 0],
  ])("F9, F11: with the policy %s the start gives %i warnings", async (policy, count) => {
    const settings = await start();
    await configure(settings, "maxmemory-policy", policy);
    const warnings = collectWarnings();
    await open(settings).check();
    // A warning is emitted in the next turn of the event loop.
    await new Promise(setImmediate);
    expect(warnings).toEqual(Array(count).fill(expect.stringContaining(`maxmemory-policy "${policy}"`)));
  });

  test("F3: a replica is named as what it is", async () => {
    const [settings, master] = [await start(), await start()];
    const target = new URL(master.urls[0] as string);
    const client = await createClient({ url: settings.urls[0] as string }).connect();
    await client.configSet("masterauth", decodeURIComponent(target.password));
    await client.sendCommand(["REPLICAOF", target.hostname, target.port]);
    await waitFor(async () => (await client.info("replication")).includes("master_link_status:up"));
    const error = await failure(open(settings, TIMEOUT).setup());
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^REDIS_URL: .* is a read-only replica/);
    client.destroy();
  });
});
