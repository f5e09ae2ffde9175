// How the Redis driver bears a server that hangs, dies, becomes a replica, or is gone without a word.
// Change it when the connection learns another way to be interrupted; cluster.test.ts has those of clusters and Sentinels.

import { createClient } from "redis";
import { afterEach, describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { bounded, isUp } from "../../../../test/drivers/bounded.ts";
import { failure, listen, onwardTo } from "../../../../test/drivers/broken.ts";
import { changing, comparable, createRow, existing, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import type { StoreSettings } from "../files/src/store/settings.ts";
import { open, prefix, TIMEOUT } from "./support.ts";

describe("redis driver on a server of its own", () => {
  let own: FreshServer | undefined;

  async function start(): Promise<StoreSettings> {
    own = await freshServer("redis", { durable: true });
    if (!own) throw new Error("no redis server here");
    return { urls: [own.url], sentinels: [], prefix };
  }

  afterEach(async () => await own?.stop());

  test("F1: a hung server is StoreUnavailable in time, over and over, and works as soon as it goes on", async () => {
    const driver = open(await start(), TIMEOUT);
    await driver.setup();
    const row = await createRow(driver);
    await own?.pause();
    const inTime = bounded(driver, TIMEOUT);
    for (let round = 0; round < 3; round++) {
      const works = Array.from({ length: 12 }, (_, index) =>
        failure(
          index % 2
            ? inTime((redis) => redis.read(row.id, { now: START }))
            : inTime((redis) => redis.change(row.id, { now: START, set: set({ index }) })),
        ),
      );
      for (const error of await Promise.all(works)) expect(error).toBeInstanceOf(StoreUnavailable);
    }
    await own?.resume();
    await waitFor(() => isUp(driver, TIMEOUT));
    const reads = Array.from({ length: 12 }, () => stored(driver, row.id));
    for (const found of await Promise.all(reads)) expect(found?.id).toBe(row.id);
  });

  test("F1: a connection whose other end is silently gone is given up, not waited for", async () => {
    const its = await start();
    const target = new URL(own?.url as string);
    let deaf = false;
    const port = await listen((socket) => {
      // What comes after the silence began is swallowed, as by a machine that lost its power.
      if (deaf) return;
      const onward = onwardTo("127.0.0.1", Number(target.port), socket);
      socket.on("data", (data) => deaf || onward.write(data));
      onward.on("data", (data) => deaf || socket.write(data));
    });
    const through = own?.url.replace(`:${target.port}`, `:${port}`) as string;
    const driver = open({ ...its, urls: [through] }, TIMEOUT);
    await driver.setup();
    deaf = true;
    const abandoned = failure(driver.ping());
    expect(await isUp(driver, TIMEOUT)).toBe(false);
    deaf = false;
    await waitFor(() => isUp(driver, TIMEOUT));
    expect(await abandoned, "it holds nothing for good").toBeInstanceOf(StoreUnavailable);
  });

  test("F1, S14, F7: a master that has become a replica is left for the one that its address now leads to", async () => {
    const its = await start();
    const other = await freshServer("redis");
    const [old, next] = [own?.url ?? "", other?.url ?? ""].map((each) => new URL(each)) as [URL, URL];
    const admin = async (at: URL) => await createClient({ url: at.href }).connect();
    const [first, second] = [await admin(old), await admin(next)];
    try {
      await second.configSet("masterauth", old.password);
      await first.configSet("masterauth", old.password);
      await second.sendCommand(["REPLICAOF", old.hostname, old.port]);
      await second.configSet("requirepass", old.password);
      let target = Number(old.port);
      const port = await listen((socket) => {
        const onward = onwardTo("127.0.0.1", target, socket);
        onward.pipe(socket).pipe(onward);
      });
      const through = { ...its, urls: [old.href.replace(`:${old.port}`, `:${port}`)] };
      const driver = open(through, TIMEOUT);
      await driver.setup();
      const rows = [await createRow(driver), await createRow(driver)] as const;
      await waitFor(async () => (await second.info("replication")).includes("master_link_status:up"));
      await waitFor(async () => (await second.exists(`${prefix}:id:${rows[1].id}`)) === 1);
      // Roles change, as a hosting provider does it: connections stay, new ones are led to the new master.
      await second.sendCommand(["REPLICAOF", "NO", "ONE"]);
      await first.sendCommand(["REPLICAOF", next.hostname, next.port]);
      target = Number(next.port);
      const refused = await failure(driver.change(rows[0].id, { now: START, set: set({ a: 1 }) }));
      expect(refused).toBeInstanceOf(StoreUnavailable);
      expect(refused.message).toMatch(/read-only replica/);
      await waitFor(() =>
        changing(driver, rows[0].id, { now: START, set: set({ a: 2 }) }).then(
          (result) => result === "done",
          () => false,
        ),
      );
      await first.sendCommand(["REPLICAOF", "NO", "ONE"]);
      expect(await open(through, TIMEOUT).end(rows[1].id)).toBe(true);
      expect(await stored(driver, rows[1].id), "the old master still has it").toBeUndefined();
    } finally {
      first.destroy();
      second.destroy();
      await other?.stop();
    }
  });

  test("F4: close ends in time though the server hangs", async () => {
    const driver = open(await start(), TIMEOUT);
    await driver.setup();
    await own?.pause();
    await driver.close();
    expect(await failure(driver.ping())).toBeInstanceOf(StoreUnavailable);
    await own?.resume();
  });

  test("F1, F2: a killed server is StoreUnavailable at once; back again, it has what was confirmed", async () => {
    const driver = open(await start(), TIMEOUT);
    await driver.setup();
    const row = await createRow(driver, { data: '{"n":0}', userid: "survivor" });
    expect(await driver.change(row.id, { now: START, set: set({ n: 1 }) })).toBe("done");
    await own?.kill();
    const works = [driver.ping(), driver.read(row.id, { now: START }), driver.end(row.id), driver.endAll(10)];
    for (const error of await Promise.all(works.map(failure))) expect(error).toBeInstanceOf(StoreUnavailable);
    await own?.restart();
    await waitFor(() => isUp(driver, TIMEOUT));
    expect(comparable(await existing(driver, row.id))).toEqual(comparable({ ...row, data: '{"n":1}' }));
    expect(await driver.listByUser("survivor", START, 10)).toHaveLength(1);
  });

  test("F3: an app that starts before its server finds it once it is there", async () => {
    const its = await start();
    await own?.kill();
    const driver = open(its, TIMEOUT);
    expect(await failure(driver.setup())).toBeInstanceOf(StoreUnavailable);
    await own?.restart();
    await waitFor(() => isUp(driver, TIMEOUT));
    await driver.setup();
  });
});
