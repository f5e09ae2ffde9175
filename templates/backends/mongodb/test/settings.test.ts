// What the MongoDB driver says of wrong settings, and how it bears servers that hang, die or refuse.
// Change it when a setting is added, or an error gets another line.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD, servers, sockets } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type Document, wireServer } from "../../../../test/servers/mongodb/wire.ts";
import { type FreshServer, freshServer, server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { storeError } from "../files/src/store/errors.ts";
import { describeStore, readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

const LOGIN = `app:${encodeURIComponent(PASSWORD)}`;
const TIMEOUT = 1000;

function open(settings: StoreSettings, timeout = TIMEOUT): SessionDriver {
  const driver = createDriver(settings, timeout);
  drivers.push(driver);
  return driver;
}

function read(url: string, collection = "sessions"): StoreSettings {
  return readStoreSettings(new Environment({ MONGODB_URL: url, MONGODB_COLLECTION: collection }));
}

/** One line that names the setting and not the password, in time, from every call alike. */
async function expectRefusal(url: string, line: RegExp): Promise<void> {
  const driver = open(read(url));
  for (const call of ["setup", "check", "ping", "stats"] as const) {
    const started = performance.now();
    const error = await failure(driver[call](START));
    expect(performance.now() - started).toBeLessThan(TIMEOUT + 500);
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^[^\n]{10,300}$/);
    expect(error.message).toMatch(line);
    expect(error.message).not.toContain(PASSWORD);
    expect(error.message).not.toContain(encodeURIComponent(PASSWORD));
  }
}

async function listen(listening: Server): Promise<number> {
  listening.on("connection", (socket: Socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy()));
  });
  servers.push(listening);
  await once(listening.listen(0, "127.0.0.1"), "listening");
  return (listening.address() as AddressInfo).port;
}

/** No mongod can be had here: what only it does (signing in, permissions, stepping down) is said to the driver in its words. */
async function mongodThat(
  answers: (command: Document) => Document | undefined,
  member: () => Document = () => ({}),
): Promise<number> {
  const base = { ismaster: true, isWritablePrimary: true, maxWireVersion: 25, minWireVersion: 0, ok: 1 };
  const hello = () => ({ ...base, ...member() });
  return await listen(wireServer(hello, async (command) => answers(command) ?? { ok: 1, n: 1 }));
}

describe("mongodb settings", () => {
  test("P3: one server, several, or a name to look up", () => {
    const several = read(`mongodb://${LOGIN}@a.example:27017,b.example:27018/shop?replicaSet=rs0`);
    expect(several).toMatchObject({
      servers: "a.example:27017,b.example:27018",
      database: "shop",
      collection: "sessions",
    });
    expect(describeStore(several)).toBe("MongoDB at a.example:27017,b.example:27018, database shop");
    expect(read("mongodb+srv://cluster.example/shop").servers).toBe("cluster.example");
    expect(readStoreSettings(new Environment({})).servers).toBe("localhost:27017");
  });

  test.each([
    [`postgres://${LOGIN}@h/d`],
    [`mongodb://${LOGIN}@h`],
    [`mongodb://${LOGIN}@h/a.b`],
    [`mongodb://${LOGIN}@h/d?nosuchoption=1`],
    [`mongodb://${LOGIN}@h:port/d`],
    [`mongodb://app:${PASSWORD}@h/d`],
    [`mongodb://app:p%zz@h/d`],
    [`mongodb://${LOGIN}@h/d?tls=maybe`],
    [`mongodb://${LOGIN}@h/d?replicaSet=rs0&w=0`],
    [`mongodb://${LOGIN}@h/d?tls=true&tlsCAFile=/no/such/file`],
  ])("P3: a malformed URL is refused in a line that names it: %s", (url) => {
    expect(() => read(url)).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(() => read(url)).toThrow(/^MONGODB_URL[^\n]{5,250}$/);
    expect(() => read(url)).not.toThrow(/s3cret|p%zz/);
  });

  test.each(["a.b", "$a", "", "system.users", "x".repeat(64), "a\u0000b"])("F6: %j names no collection", (name) => {
    if (name) expect(() => read("mongodb://h/d", name)).toThrow(/^MONGODB_COLLECTION must/);
    else expect(read("mongodb://h/d", name).collection).toBe("sessions");
  });

  test("F3: no such host, nothing on the port", async () => {
    const port = await listen(createServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expectRefusal(
      `mongodb://${LOGIN}@no-such-host.invalid/d`,
      /^MONGODB_URL: there is no such host: .*no-such-host\.invalid/,
    );
    await expectRefusal(
      `mongodb://${LOGIN}@127.0.0.1:${port}/d`,
      /^MONGODB_URL: nothing answers there: .*ECONNREFUSED/,
    );
  });

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => undefined],
    ["a closed door", (socket) => socket.destroy()],
    ["a banner", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")],
    ["an HTTP error", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")],
    ["MySQL's greeting", (socket) => socket.write(Buffer.from("4a0000000a392e372e34000800000001020304", "hex"))],
    ["noise", (socket) => socket.write(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 73) % 256)))],
  ])("F3, F6: a port where %s answers is named, in time, and ends no process", async (_, answer) => {
    const port = await listen(createServer(answer));
    await expectRefusal(
      `mongodb://${LOGIN}@127.0.0.1:${port}/d`,
      new RegExp(`^MONGODB_URL: .*127\\.0\\.0\\.1:${port}`),
    );
  });

  test("F3: a wrong password", async () => {
    const wrong = { ok: 0, errmsg: "Authentication failed.", code: 18, codeName: "AuthenticationFailed" };
    const port = await mongodThat((command) => ("saslStart" in command ? wrong : undefined));
    await expectRefusal(
      `mongodb://${LOGIN}@127.0.0.1:${port}/d`,
      /^MONGODB_URL: .* refuses the user or the password\.$/,
    );
  });

  test("P6: a lacking permission is no outage, and named", async () => {
    const denied = { ok: 0, errmsg: "not authorized on d to execute command", code: 13, codeName: "Unauthorized" };
    const driver = open(read(`mongodb://127.0.0.1:${await mongodThat(() => denied)}/d`));
    for (const call of ["check", "setup", "endAll", "stats"] as const) {
      const error = await failure(driver[call](START));
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(/^MONGODB_URL: its user lacks a permission \(not authorized[^\n]*\)\.$/);
    }
  });

  test.each([
    [10107, "NotWritablePrimary"],
    [91, "ShutdownInProgress"],
    [11602, "InterruptedDueToReplStateChange"],
  ])("F1: a server that says %i %s is unavailable", async (code, codeName) => {
    const driver = open(
      read(`mongodb://127.0.0.1:${await mongodThat(() => ({ ok: 0, errmsg: codeName, code, codeName }))}/d`),
    );
    for (const work of [driver.create(newRow()), driver.read("x", { now: START })]) {
      expect(await failure(work)).toBeInstanceOf(StoreUnavailable);
    }
  });

  test("F2: a write that the majority has not confirmed is no success", async () => {
    const writeConcernError = {
      code: 64,
      codeName: "WriteConcernTimeout",
      errmsg: "waiting for replication timed out",
    };
    const driver = open(read(`mongodb://127.0.0.1:${await mongodThat(() => ({ ok: 1, n: 1, writeConcernError }))}/d`));
    for (const work of [driver.create(newRow()), driver.end("x"), driver.change("x", { now: START })]) {
      expect(await failure(work)).toBeInstanceOf(StoreUnavailable);
    }
  });

  test("F2: writes wait for the majority, unless the URL says otherwise", async () => {
    const seen: Document[] = [];
    const port = await mongodThat((command) => void seen.push(command));
    await open(read(`mongodb://127.0.0.1:${port}/d`)).end("x");
    await open(read(`mongodb://127.0.0.1:${port}/d?w=1`)).end("x");
    const writes = seen.filter((command) => "delete" in command);
    expect(writes.map((command) => String(command.writeConcern?.w ?? "1"))).toEqual(["majority", "1"]);
  });

  test("S14: reads go to the primary, whatever the URL says: a secondary may not know yet who has signed out", async () => {
    const asked: string[] = [];
    const hosts: string[] = [];
    const join = async (role: string) => {
      const set = { setName: "rs0", setVersion: 1, hosts };
      const secondary = { ismaster: false, isWritablePrimary: false, secondary: true };
      const note = (command: Document) => void ("find" in command && asked.push(role));
      hosts.push(`127.0.0.1:${await mongodThat(note, () => ({ ...set, ...(role === "secondary" && secondary) }))}`);
    };
    await join("primary");
    await join("secondary");
    const driver = open(read(`mongodb://${hosts}/d?replicaSet=rs0&readPreference=secondary`));
    for (let round = 0; round < 3; round++) await failure(driver.read("x", { now: START }));
    expect(asked).toEqual(["primary", "primary", "primary"]);
  });
});

test("F1: a connection that broke is StoreUnavailable, also where the driver hands Node's own error on", async () => {
  const gone = createServer((socket) => void socket.end());
  const socket = connect(await listen(gone), "127.0.0.1").resume();
  sockets.add(socket);
  await once(socket, "end");
  // What the driver meets when the server goes between two of its commands.
  const failed = once(socket, "error");
  socket.write("a command");
  const [error] = (await failed) as [NodeJS.ErrnoException];
  expect(error.code).toBe("EPIPE");
  const settings = read("mongodb://127.0.0.1/test");
  expect(storeError(error, settings, TIMEOUT)).toBeInstanceOf(StoreUnavailable);
  const mistake = new TypeError("a mistake of ours");
  expect(storeError(mistake, settings, TIMEOUT)).toBe(mistake);
});

describe("mongodb driver", () => {
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

  test("P6: check names the index that is missing or not as schema.ts has it", async () => {
    const driver = open(settings);
    const sessions = client.db(settings.database).collection(collection);
    await driver.setup();
    await sessions.dropIndex("user");
    expect((await failure(driver.check())).message).toMatch(/lacks the index "user"/);
    await driver.setup();
    await driver.check();
    await sessions.dropIndex("expiry");
    await sessions.createIndex({ expires: 1 });
    const [checked, set] = [await failure(driver.check()), await failure(driver.setup())];
    for (const { message } of [checked, set]) expect(message).toMatch(/^Index "expires_1" .* expireAfterSeconds/);
  });

  test("S9, F6: texts that look like fields, variables and operators are texts", async () => {
    const driver = open(settings);
    await driver.setup();
    for (const strange of ["$version", "$$ROOT", "$$NOW", "$", "{$gt: ''}", "data.a"]) {
      const row = await createRow(driver);
      const written = { now: START, userid: strange, set: set({ [strange]: strange, plain: { $gt: strange } }) };
      expect(await driver.change(row.id, written)).toBe("done");
      const data = JSON.stringify({ [strange]: strange, plain: { $gt: strange } });
      expect(comparable(await stored(driver, row.id))).toEqual(comparable({ ...row, userid: strange, data }));
      expect(await driver.endByUser(strange)).toEqual([row.id]);
    }
  });

  /** Leads to the server, over a connection that the test can look at. */
  async function passage(listening: Server, onSocket: (socket: Socket) => void = () => undefined): Promise<string> {
    const target = new URL(url as string);
    const name = listening instanceof createTlsServer().constructor ? "secureConnection" : "connection";
    listening.on(name, (socket: Socket) => {
      const onward = connect(Number(target.port), target.hostname);
      sockets.add(onward);
      onSocket(socket);
      onward
        .on("error", () => socket.destroy())
        .pipe(socket.on("error", () => onward.destroy()))
        .pipe(onward);
    });
    return `mongodb://127.0.0.1:${await listen(listening)}/${settings.database}`;
  }

  test("S24: a user's sessions end in as many steps as there are batches", async () => {
    await open(settings).setup();
    let sent = 0;
    const through = await passage(createServer(), (socket) => socket.on("data", () => sent++));
    const driver = open({ ...settings, url: through }, 20_000);
    const rows = Array.from({ length: 1200 }, () => newRow({ userid: "many" }));
    for (let at = 0; at < rows.length; at += 100)
      await Promise.all(rows.slice(at, at + 100).map((row) => driver.create(row)));
    sent = 0;
    const [kept, ...others] = rows.map(({ id }) => id);
    expect((await driver.endByUser("many", kept)).sort()).toEqual(others.sort());
    expect(sent).toBeLessThan(60);
  });

  test("F1: connections that went dead are given up in time, and new ones made", async () => {
    await open(settings).setup();
    const passing = new Set<Socket>();
    const through = await passage(createServer(), (socket) => passing.add(socket));
    const driver = open({ ...settings, url: through });
    await Promise.all(Array.from({ length: 6 }, () => driver.ping()));
    for (const socket of passing) socket.unpipe().resume();
    for (const socket of sockets) socket.unpipe();
    const dead = passing.size;
    expect([...passing].some((socket) => socket.destroyed)).toBe(false);
    const started = performance.now();
    await failure(driver.create(newRow()));
    await waitFor(() => [...passing].some((socket) => socket.destroyed));
    expect(performance.now() - started, "closed, not left to hang").toBeLessThan(TIMEOUT + 500);
    await waitFor(
      async () =>
        await driver.ping().then(
          () => true,
          () => false,
        ),
    );
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
      for (let round = 0; round < 2; round++) {
        const started = performance.now();
        const works = Array.from({ length: 12 }, (_, index) =>
          failure(
            index % 2
              ? driver.read(row.id, { now: START })
              : driver.change(row.id, { now: START, set: set({ index }) }),
          ),
        );
        for (const error of await Promise.all(works)) expect(error).toBeInstanceOf(StoreUnavailable);
        expect(performance.now() - started).toBeLessThan(TIMEOUT + 500);
      }
      const started = performance.now();
      await other.close();
      expect(performance.now() - started, "close while it hangs").toBeLessThan(TIMEOUT + 1500);
      await own?.resume();
      await waitFor(
        async () =>
          await driver.ping().then(
            () => true,
            () => false,
          ),
      );
      const reads = Array.from({ length: 12 }, () => stored(driver, row.id));
      for (const read of await Promise.all(reads)) expect(read?.id).toBe(row.id);
    });

    test("F1, F2: a killed server is StoreUnavailable; back again, it has what was answered with success", async () => {
      const driver = open(await start(true));
      await driver.setup();
      const row = await createRow(driver, { data: '{"n":0}' });
      expect(await driver.change(row.id, { now: START, set: set({ n: 1 }) })).toBe("done");
      await own?.kill();
      const works = [driver.ping(), driver.read(row.id, { now: START }), driver.end(row.id), driver.stats(START)];
      for (const error of await Promise.all(works.map(failure))) expect(error).toBeInstanceOf(StoreUnavailable);
      await own?.restart();
      await waitFor(
        async () =>
          await driver.ping().then(
            () => true,
            () => false,
          ),
      );
      expect(comparable(await existing(driver, row.id))).toEqual(comparable({ ...row, data: '{"n":1}' }));
    });
  });
});
