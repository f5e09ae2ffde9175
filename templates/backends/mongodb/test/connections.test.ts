// Connections to MongoDB: over TLS, gone dead, and to a server that hangs or dies.
// Change it when the connection gets another option.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { bounded, isUp } from "../../../../test/drivers/bounded.ts";
import { failure, onwardTo } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, endUser, existing, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type FreshServer, freshServer, server } from "../../../../test/servers/server.ts";
import type { StoreSettings } from "../files/src/store/settings.ts";
import { expectRefusal, listenOn, open, read, TIMEOUT } from "./support.ts";

describe("mongodb connections", () => {
  let url: string | undefined;
  let settings: StoreSettings;
  let client: MongoClient;
  const collection = `s_${process.pid}`;

  beforeAll(async () => {
    url = (await server("mongodb"))?.url;
    if (!url) return;
    settings = read(url, collection);
    client = new MongoClient(url);
  }, 120_000);

  beforeEach((context) => context.skip(url === undefined, "no mongodb server here"));

  afterEach(async () => {
    await client?.db(settings.database).dropCollection(collection);
  });

  afterAll(async () => await client?.close());

  /** Leads to the server, over a connection that the test can look at. */
  async function passage(
    listening: Server,
    onSocket: (socket: Socket, onward: Socket) => void = () => undefined,
  ): Promise<string> {
    const target = new URL(url as string);
    const name = listening instanceof createTlsServer().constructor ? "secureConnection" : "connection";
    listening.on(name, (socket: Socket) => {
      const onward = onwardTo(
        target.hostname,
        Number(target.port),
        socket.on("error", () => socket.destroy()),
      );
      onSocket(socket, onward);
      onward.pipe(socket).pipe(onward);
    });
    return `mongodb://127.0.0.1:${await listenOn(listening)}/${settings.database}`;
  }

  test("S24: a user's sessions end in a few steps for each batch", async () => {
    await open(settings).setup();
    let sent = 0;
    const through = await passage(createServer(), (socket) => socket.on("data", () => sent++));
    const driver = open({ ...settings, url: through }, 20_000);
    const rows = Array.from({ length: 1200 }, () => newRow({ userid: "many" }));
    for (let at = 0; at < rows.length; at += 100)
      await Promise.all(rows.slice(at, at + 100).map((row) => driver.create(row)));
    sent = 0;
    const [kept, ...others] = rows.map(({ id }) => id);
    expect((await endUser(driver, "many", kept)).sort()).toEqual(others.sort());
    expect(sent).toBeLessThan(60);
  });

  test("F1: connections that went dead are given up, and new ones made", async () => {
    await open(settings).setup();
    const passing = new Set<Socket>();
    const onwards = new Set<Socket>();
    const through = await passage(createServer(), (socket, onward) => {
      passing.add(socket);
      onwards.add(onward);
    });
    const driver = open({ ...settings, url: through });
    await Promise.all(Array.from({ length: 6 }, () => driver.ping()));
    for (const socket of passing) socket.unpipe().resume();
    for (const socket of onwards) socket.unpipe();
    const dead = passing.size;
    expect([...passing].some((socket) => socket.destroyed)).toBe(false);
    const abandoned = failure(driver.create(newRow()));
    await waitFor(() => [...passing].some((socket) => socket.destroyed));
    expect(await abandoned, "it holds nothing for good").toBeInstanceOf(StoreUnavailable);
    await waitFor(() => isUp(driver, TIMEOUT));
    await Promise.all(Array.from({ length: 6 }, () => driver.ping()));
    expect(passing.size).toBeGreaterThan(dead);
  });

  describe("over TLS", () => {
    let folder: string;
    let key: string;
    let cert: string;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "sessions-tls-"));
      [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
      const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
      execFileSync("openssl", ["req", "-x509", "-nodes", ...curve, ...subject, "-keyout", key, "-out", cert], {
        stdio: "pipe",
      });
    });

    afterAll(() => rmSync(folder, { recursive: true }));

    test("a certificate that tlsCAFile vouches for is accepted, no other, and each mismatch names the URL", async () => {
      const tls = await passage(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }));
      const driver = open({ ...settings, url: `${tls}?tls=true&tlsCAFile=${encodeURIComponent(cert)}` });
      await driver.setup();
      await createRow(driver);
      await expectRefusal(`${tls}?tls=true`, /^MONGODB_URL: no secure connection .*self-signed certificate/);
      await expectRefusal(tls, /^MONGODB_URL: /);
      await expectRefusal(`${url}?tls=true`, /^MONGODB_URL: /);
    });
  });

  describe("a server of its own", () => {
    let own: FreshServer | undefined;

    async function start(durable = false): Promise<StoreSettings> {
      own = await freshServer("mongodb", { durable });
      if (!own) throw new Error("no mongodb server here");
      return read(own.url);
    }

    afterEach(async () => await own?.stop());

    test("F1, F4: a hung server is StoreUnavailable in time, over and over, and works as soon as it goes on", async () => {
      const driver = open(await start());
      const other = open(read(own?.url as string));
      await driver.setup();
      await other.check();
      const row = await createRow(driver);
      await own?.pause();
      const inTime = bounded(driver, TIMEOUT);
      for (let round = 0; round < 2; round++) {
        const works = Array.from({ length: 12 }, (_, index) =>
          failure(
            index % 2
              ? inTime((mongodb) => mongodb.read(row.id, { now: START }))
              : inTime((mongodb) => mongodb.change(row.id, { now: START, set: set({ index }) })),
          ),
        );
        for (const error of await Promise.all(works)) expect(error).toBeInstanceOf(StoreUnavailable);
      }
      const abandoned = failure(driver.read(row.id, { now: START }));
      await other.close();
      expect(await abandoned, "it holds nothing for good").toBeInstanceOf(StoreUnavailable);
      await own?.resume();
      await waitFor(() => isUp(driver, TIMEOUT));
      const reads = Array.from({ length: 12 }, () => stored(driver, row.id));
      for (const read of await Promise.all(reads)) expect(read?.id).toBe(row.id);
    });

    test("F1, F2: a killed server is StoreUnavailable; back again, it has what was confirmed", async () => {
      const driver = open(await start(true));
      await driver.setup();
      const row = await createRow(driver, { data: '{"n":0}' });
      expect(await driver.change(row.id, { now: START, set: set({ n: 1 }) })).toBe("done");
      await own?.kill();
      const works = [driver.ping(), driver.read(row.id, { now: START }), driver.end(row.id), driver.stats(START)];
      for (const error of await Promise.all(works.map(failure))) expect(error).toBeInstanceOf(StoreUnavailable);
      await own?.restart();
      await waitFor(() => isUp(driver, TIMEOUT));
      expect(comparable(await existing(driver, row.id))).toEqual(comparable({ ...row, data: '{"n":1}' }));
    });
  });
});
