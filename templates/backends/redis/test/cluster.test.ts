// Redis Cluster and Sentinel under load: a node killed, slots moved to another node, a master replaced by its replica.
// Change it when the connection learns another way to be interrupted. outages.test.ts has those of a single server.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, type SessionRow, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { bounded, isUp } from "../../../../test/drivers/bounded.ts";
import {
  comparable,
  createRow,
  createRows,
  endEverySession,
  existing,
  HOUR,
  newRow,
  START,
  set,
  stored,
} from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { freePorts, program, run } from "../../../../test/servers/machine.ts";
import { Unavailable } from "../../../../test/servers/recipe.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { Unit } from "../../../../test/servers/unit.ts";
import { createDriver } from "../files/src/store/driver.ts";

const TIMEOUT = 1000;
const PREFIX = "shop";
const touch = { lifetime: 100 * HOUR };

/** What was confirmed, and must therefore be there in the end. */
class Load {
  readonly sessions = new Map<string, { row: SessionRow; keys: string[] }>();
  readonly failures: unknown[] = [];
  successes = 0;
  /** Successes since the last failure. */
  streak = 0;
  #working = true;
  #workers: Promise<void>[];

  constructor(drivers: SessionDriver[], workers = 8) {
    this.#workers = Array.from({ length: workers }, (_, worker) => this.#work(drivers, worker));
  }

  async #work(drivers: SessionDriver[], worker: number): Promise<void> {
    for (let turn = 0; this.#working; turn++) {
      const driver = drivers[(worker + turn) % drivers.length] as SessionDriver;
      try {
        if (turn % 10 === 0) {
          const row = await createRow(driver, { userid: `user ${worker}`, data: '{"first":true}' });
          this.sessions.set(row.id, { row, keys: ["first"] });
        } else {
          const all = [...this.sessions.values()].filter(({ row }) => row.userid === `user ${worker}`);
          const session = all[turn % all.length];
          if (!session) continue;
          const key = `${worker} ${turn}`;
          const result = await driver.change(session.row.id, {
            now: START + (turn % 600),
            set: set({ [key]: turn }),
            touch,
          });
          expect(result).toBe("done");
          session.keys.push(key);
        }
        this.successes++;
        this.streak++;
      } catch (error) {
        this.failures.push(error);
        this.streak = 0;
        await new Promise((resume) => setTimeout(resume, 5));
      }
    }
  }

  async stop(): Promise<void> {
    this.#working = false;
    await Promise.all(this.#workers);
  }

  /** Every write that was confirmed is there, and every session is in its user's list. */
  async expectAll(driver: SessionDriver): Promise<void> {
    expect(this.sessions.size).toBeGreaterThan(10);
    for (const { row, keys } of this.sessions.values()) {
      const data = JSON.parse((await existing(driver, row.id)).data) as Record<string, unknown>;
      expect(Object.keys(data)).toEqual(expect.arrayContaining(keys));
    }
    const users = new Set([...this.sessions.values()].map(({ row }) => row.userid as string));
    for (const user of users) {
      const listed = (await driver.listByUser(user, START, 10_000)).map(({ id }) => id);
      const created = [...this.sessions.values()].filter(({ row }) => row.userid === user).map(({ row }) => row.id);
      expect(listed).toEqual(expect.arrayContaining(created));
    }
  }
}

const drivers: SessionDriver[] = [];

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});

function open(urls: string[], sentinels: string[] = []): SessionDriver {
  const driver = createDriver({ urls, sentinels, prefix: PREFIX }, TIMEOUT);
  drivers.push(driver);
  return driver;
}

/** Whether each is there as it was; false while some can't be reached. */
async function allThere(driver: SessionDriver, rows: SessionRow[]): Promise<boolean> {
  const inTime = bounded(driver, TIMEOUT);
  const found = await Promise.allSettled(rows.map((row) => inTime((redis) => stored(redis, row.id))));
  if (found.some((result) => result.status === "rejected")) return false;
  const values = found.map((result) => (result.status === "fulfilled" ? result.value : undefined));
  expect(values.map(comparable)).toEqual(rows.map(comparable));
  return true;
}

describe("redis cluster", () => {
  let cluster: FreshServer | undefined;
  let nodes: string[] = [];

  beforeEach(async (context) => {
    cluster = await freshServer("redis-cluster", { durable: true });
    context.skip(cluster === undefined, "no redis-cluster server here");
    nodes = cluster?.nodes ?? [];
  });

  afterEach(async () => await cluster?.stop());

  test("F1, F2: a node is killed and comes back: the others serve on, nothing that was confirmed is lost", async () => {
    const [one, two] = [open(nodes), open(nodes.slice(0, 2))];
    const load = new Load([one, two]);
    await waitFor(() => load.successes > 200);
    await cluster?.kill(2);
    await waitFor(() => load.failures.length > 20);
    const during = load.successes;
    await waitFor(() => load.successes > during + 200);
    expect(await isUp(one, TIMEOUT), "a cluster with a dead node is up").toBe(true);
    await cluster?.restart(2);
    await waitFor(() => load.streak > 1000);
    await load.stop();
    for (const failure of load.failures) expect(failure).toBeInstanceOf(StoreUnavailable);
    for (const driver of [one, two, open(nodes)]) await load.expectAll(driver);
  });

  test("F1: a node that hangs costs its own sessions a 503 in time, and the others nothing", async () => {
    const driver = open(nodes);
    const rows = await Promise.all(Array.from({ length: 30 }, () => createRow(driver)));
    await cluster?.pause(1);
    const inTime = bounded(driver, TIMEOUT);
    for (let round = 0; round < 3; round++) {
      const found = await Promise.allSettled(rows.map((row) => inTime((redis) => stored(redis, row.id))));
      const there = found.filter((result) => result.status === "fulfilled" && result.value !== undefined);
      expect(there.length).toBeGreaterThan(5);
      expect(there.length).toBeLessThan(30);
    }
    expect(await isUp(driver, TIMEOUT)).toBe(true);
    // Whichever node they ask first for the others: the one that hangs must not keep them from asking the next.
    for (const late of Array.from({ length: 6 }, () => open(nodes))) {
      const lateInTime = bounded(late, TIMEOUT);
      const found = await Promise.allSettled(rows.map((row) => lateInTime((redis) => stored(redis, row.id))));
      expect(found.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(5);
    }
    await cluster?.resume(1);
    await waitFor(() => allThere(driver, rows));
  });

  test("S14: a session ends though the node with the user's index is down", async () => {
    const driver = open(nodes);
    // Users and sessions are spread over the nodes: among so many, some session's index is on the node that dies alone.
    const rows = await Promise.all(
      Array.from({ length: 40 }, (_, index) => createRow(driver, { userid: `user ${index}` })),
    );
    await cluster?.kill(2);
    const found = async (row: SessionRow) => (await stored(driver, row.id).catch(() => undefined)) !== undefined;
    await waitFor(async () => (await Promise.all(rows.map(found))).filter(Boolean).length > 5);
    const reachable = (await Promise.all(rows.map(async (row) => ((await found(row)) ? row : [])))).flat();
    const unlisted = await Promise.all(
      reachable.map((row) =>
        driver.listByUser(row.userid as string, START, 10).then(
          () => [],
          () => [row],
        ),
      ),
    );
    expect(unlisted.flat().length).toBeGreaterThan(0);
    for (const row of unlisted.flat()) {
      expect(await driver.end(row.id)).toBe(true);
      expect(await stored(driver, row.id)).toBeUndefined();
    }
  });

  test("F9, S15: parts of the index that are deleted on every node are restored before anybody is listed or ended", async () => {
    const [driver, other] = [open(nodes), open(nodes)];
    await driver.setup();
    const users = Array.from({ length: 20 }, (_, index) => `user ${index}`);
    const rows = users.flatMap((userid) => [newRow({ userid }), newRow({ userid })]);
    await createRows(driver, rows);
    for (const url of nodes) {
      const client = await createClient({ url }).connect();
      const keys = (await client.sendCommand(["KEYS", `${PREFIX}:users:*`])) as string[];
      for (const key of keys) await client.sendCommand(["DEL", key]);
      client.destroy();
    }
    const [listed, ...ended] = await Promise.all([
      driver.listByUser("user 0", START, 10),
      ...users.slice(1).map((userid) => other.endByUser(userid, 10)),
    ]);
    expect(listed).toHaveLength(2);
    expect(ended.flat().sort()).toEqual(
      rows
        .slice(2)
        .map(({ id }) => id)
        .sort(),
    );
  });

  test("F3: an app that starts while a node is down serves what the others hold, and all of it later", async () => {
    const before = open(nodes);
    const rows = await Promise.all(Array.from({ length: 30 }, () => createRow(before)));
    await cluster?.kill(0);
    const driver = open(nodes);
    const inTime = bounded(driver, TIMEOUT);
    const found = await Promise.allSettled(rows.map((row) => inTime((redis) => stored(redis, row.id))));
    const there = found.filter((result) => result.status === "fulfilled" && result.value !== undefined);
    expect(there.length).toBeGreaterThan(5);
    const abandoned = Promise.allSettled(rows.map((row) => stored(driver, row.id)));
    await cluster?.restart(0);
    await waitFor(() => allThere(driver, rows));
    // No call that was given up waits for good.
    await abandoned;
  });

  test("F2, F7: slots move to another node under load: no request fails, nothing is lost", async () => {
    const [one, two] = [open(nodes), open(nodes)];
    const load = new Load([one, two]);
    await waitFor(() => load.successes > 300);
    const { hostname, port, password } = new URL(nodes[0] as string);
    const cli = (...args: string[]) => run([program("redis-cli", ""), ...args], { env: { REDISCLI_AUTH: password } });
    const ids = await Promise.all(
      nodes.map(async (node) => (await cli("-h", hostname, "-p", new URL(node).port, "cluster", "myid")).trim()),
    );
    const move = ["--cluster-from", ids[0] ?? "", "--cluster-to", ids[1] ?? "", "--cluster-slots", "400"];
    await cli("--cluster", "reshard", `${hostname}:${port}`, ...move, "--cluster-yes");
    const moved = load.successes;
    await waitFor(() => load.successes > moved + 300);
    await load.stop();
    expect(load.failures).toEqual([]);
    for (const driver of [one, two, open(nodes)]) await load.expectAll(driver);
    expect((await one.stats(START)).live).toBe(load.sessions.size);
    expect(await endEverySession(one)).toBe(load.sessions.size);
  });
});

describe("redis behind sentinels", () => {
  const units: Unit[] = [];
  let folder = "";

  afterEach(async () => {
    for (const unit of units.splice(0)) await unit.kill();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(command: string[], ready: string): Promise<Unit> {
    const unit = new Unit({
      command,
      unprivileged: false,
      ready: (output) => output.includes(ready),
      stopSignal: "SIGTERM",
    });
    await unit.start();
    units.push(unit);
    return unit;
  }

  test("F1: a master dies, its replica takes over: the app goes on by itself, with all that was replicated", async (context) => {
    let server: string;
    try {
      server = program("redis-server", "apt-get install redis-server");
    } catch (error) {
      if (!(error instanceof Unavailable) || process.env.CI) throw error;
      context.skip(true, error.message);
      return;
    }
    folder = await mkdtemp(join(tmpdir(), "redis-sentinel-"));
    const password = "of-the-nodes";
    const [first = 0, second = 0, ...watchers] = await freePorts(5);
    const node = (port: number, ...more: string[]) => [
      ...[server, "--bind", "127.0.0.1", "--port", `${port}`, "--requirepass", password, "--masterauth", password],
      ...["--save", "", "--dir", folder, "--dbfilename", `${port}.rdb`, ...more],
    ];
    const master = await start(node(first), "Ready to accept connections");
    await start(node(second, "--replicaof", `127.0.0.1 ${first}`), "Finished with success");
    for (const port of watchers) {
      const file = join(folder, `${port}.conf`);
      const lines = ["sentinel resolve-hostnames yes", `sentinel monitor mymaster 127.0.0.1 ${first} 2`];
      lines.push(`sentinel auth-pass mymaster ${password}`, "sentinel down-after-milliseconds mymaster 500");
      lines.push("sentinel failover-timeout mymaster 3000", `port ${port}`, "bind 127.0.0.1", `dir ${folder}`);
      await writeFile(file, lines.join("\n"));
      await start([server, file, "--sentinel"], "+monitor master mymaster");
    }
    const sentinels = watchers.map((port) => `redis://127.0.0.1:${port}`);
    const sentinel = await createClient({ url: sentinels[0] as string, RESP: 2 }).connect();
    await waitFor(async () => {
      const state = (await sentinel.sendCommand(["SENTINEL", "MASTER", "mymaster"])) as string[];
      const value = (name: string) => state[state.indexOf(name) + 1];
      return value("num-slaves") === "1" && value("num-other-sentinels") === "2";
    });
    sentinel.destroy();

    const driver = open([`redis://:${password}@mymaster`], sentinels);
    await waitFor(() => isUp(driver, TIMEOUT));
    await driver.setup();
    const load = new Load([driver]);
    await waitFor(() => load.successes > 200);
    await load.stop();
    expect(load.failures).toEqual([]);
    const client = await createClient({ url: `redis://:${password}@127.0.0.1:${first}` }).connect();
    expect(await client.wait(1, 5000)).toBe(1);
    client.destroy();

    await master.kill();
    await expect(bounded(driver, TIMEOUT)((redis) => redis.ping())).rejects.toBeInstanceOf(StoreUnavailable);
    await waitFor(() => isUp(driver, TIMEOUT));
    await load.expectAll(driver);
    const row = await createRow(driver, { userid: "after" });
    expect(await driver.change(row.id, { now: START, set: set({ a: 1 }) })).toBe("done");
    expect((await driver.stats(START)).live).toBe(load.sessions.size + 1);
  });
});
