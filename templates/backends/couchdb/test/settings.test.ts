// What the CouchDB driver says of wrong settings, and how it bears servers that hang, die, refuse, or keep conflicts.
// Change it when a setting is added, or an error gets another line.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable, UnreadableRow } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD, servers, sockets } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, HOUR, newHash, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { run } from "../../../../test/servers/machine.ts";
import { type FreshServer, freshServer, server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { describeStore, readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

/** What is hung, dead or wrong is waited for no longer. */
const TIMEOUT = 1500;

function open(settings: StoreSettings, timeout = 15_000): SessionDriver {
  const driver = createDriver(settings, timeout);
  drivers.push(driver);
  return driver;
}

/** One line that names the setting and not the password, from every call alike. */
async function expectRefusal(settings: StoreSettings, line: RegExp): Promise<void> {
  const driver = open(settings, TIMEOUT);
  const works = [driver.setup(), driver.check(), driver.ping(), driver.read("x", { now: START })];
  for (const error of await Promise.all(works.map(failure))) {
    expect(error.message).toMatch(line);
    expect(error.message).toMatch(/^[^\n]{10,300}[^.\n]$/);
    expect(error).toBeInstanceOf(StoreUnavailable);
    for (const shown of [
      error.message,
      JSON.stringify(error.cause),
      String((error.cause as Error | undefined)?.stack),
    ]) {
      expect(shown).not.toContain(settings.password || PASSWORD);
      expect(shown).not.toContain(btoa(`${settings.user}:${settings.password}`));
    }
  }
}

async function portOf(listening: Server): Promise<number> {
  servers.push(listening);
  listening.on("connection", (socket: Socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy()));
  });
  await once(listening.listen(0, "127.0.0.1"), "listening");
  return (listening.address() as AddressInfo).port;
}

const variables = { COUCHDB_HOST: "127.0.0.1", COUCHDB_USER: "app", COUCHDB_PASSWORD: PASSWORD };
const read = (more: Record<string, string> = {}) => readStoreSettings(new Environment({ ...variables, ...more }));
const secret = encodeURIComponent(PASSWORD);

describe("couchdb settings", () => {
  test("P3: the URL and the variables say the same", () => {
    const url = `http://app:${secret}@127.0.0.1:5984/`;
    expect(readStoreSettings(new Environment({ COUCHDB_URL: url }))).toEqual({ ...read(), fromUrl: true });
    expect(read({ COUCHDB_URL: `https://${secret}@[::1]/couch/`, COUCHDB_DATABASE: "shop_1" })).toEqual({
      url: "https://[::1]/couch",
      user: PASSWORD,
      password: "",
      database: "shop_1",
      fromUrl: true,
    });
    expect(read({ COUCHDB_HOST: "::1", COUCHDB_PORT: "1" }).url).toBe("http://[::1]:1");
    expect(describeStore(read())).toBe("CouchDB at 127.0.0.1:5984, database sessions");
    expect(describeStore(read({ COUCHDB_URL: `https://u:${secret}@h` }))).toBe(
      "CouchDB at https://h, database sessions",
    );
  });

  test.each([
    ["COUCHDB_URL", { COUCHDB_URL: `couch://app:${secret}@h` }],
    ["COUCHDB_URL", { COUCHDB_URL: PASSWORD }],
    ["COUCHDB_URL", { COUCHDB_URL: `http://app:%zz${secret}@h` }],
    ["COUCHDB_URL", { COUCHDB_URL: `http://app:${secret}@h/?database=a` }],
    ["COUCHDB_HOST", { COUCHDB_HOST: "http://h" }],
    ["COUCHDB_HOST", { COUCHDB_HOST: `app:${secret}@h` }],
    ["COUCHDB_HOST", { COUCHDB_HOST: "a b" }],
    ["COUCHDB_PORT", { COUCHDB_PORT: "70000" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "Sessions" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "_users" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "a/../_users" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "x".repeat(64) }],
  ])("P3, F6: a wrong %s is refused in a line that names it: %o", (name, wrong) => {
    expect(() => read(wrong)).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(() => read(wrong)).toThrow(new RegExp(`^${name}[^\\n]{10,200}$`));
    expect(() => read(wrong)).not.toThrow(PASSWORD);
    expect(() => read(wrong)).not.toThrow(secret);
  });

  test("F3: no such host, nothing on the port: each names its setting", async () => {
    const port = await portOf(createServer());
    servers.pop()?.close();
    await expectRefusal(
      read({ COUCHDB_HOST: "no-such-host.invalid" }),
      /^COUCHDB_HOST: there is no such host: .*no-such-host/,
    );
    await expectRefusal(
      read({ COUCHDB_PORT: `${port}` }),
      /^COUCHDB_HOST and COUCHDB_PORT: nothing answers there: .*ECONNREFUSED/,
    );
    await expectRefusal(
      read({ COUCHDB_PORT: `${port}`, COUCHDB_HOST: "localhost" }),
      /^COUCHDB_HOST and COUCHDB_PORT: nothing answers/,
    );
    await expectRefusal(
      read({ COUCHDB_URL: `http://app:${secret}@127.0.0.1:${port}` }),
      /^COUCHDB_URL: nothing answers there/,
    );
  });

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => undefined],
    ["a closed door", (socket) => socket.destroy()],
    ["a banner", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")],
    ["Redis", (socket) => socket.write("-ERR unknown command 'GET'\r\n")],
    ["a page", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p>a")],
    ["a page that isn't found", (socket) => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")],
    [
      "half an answer",
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"a"'),
    ],
    [
      "a way elsewhere",
      (socket) => socket.end("HTTP/1.1 301 Moved\r\nLocation: https://h/\r\nContent-Length: 0\r\n\r\n"),
    ],
    ["zeros", (socket) => socket.write(Buffer.alloc(4096))],
  ])("F3, F6: a port where %s answers is named, within the time, and ends no process", async (_, answer) => {
    const listening = createServer((socket) => answer(socket.resume()));
    const port = `${await portOf(listening)}`;
    const started = performance.now();
    await expectRefusal(read({ COUCHDB_PORT: port }), /^COUCHDB_(HOST|URL)/);
    await expectRefusal(read({ COUCHDB_URL: `https://app:${secret}@127.0.0.1:${port}` }), /^COUCHDB_URL: /);
    expect(performance.now() - started).toBeLessThan(TIMEOUT * 9);
  });

  test("F3: another JSON service is not taken for an empty database", async () => {
    const listening = createHttpServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end('{"status":"fine"}');
    });
    const driver = open(read({ COUCHDB_PORT: `${await portOf(listening)}` }));
    const error = await failure(driver.read("x", { now: START }));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^COUCHDB_HOST and COUCHDB_PORT: what answers is no CouchDB/);
    expect(await failure(driver.setup())).toBeInstanceOf(StoreUnavailable);
  });

  test("F3: TLS that the two don't agree on names the setting", async () => {
    const folder = await mkdtemp(join(tmpdir(), "couchdb-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    await run(["openssl", "req", "-x509", ...curve, "-nodes", "-days", "2", "-keyout", key, "-out", cert, ...names]);
    try {
      const answer: RequestListener = (_, response) => void response.end("{}");
      const secured = createHttpsServer({ key: await readFile(key), cert: await readFile(cert) }, answer);
      const port = await portOf(secured);
      await expectRefusal(
        read({ COUCHDB_URL: `https://app:${secret}@localhost:${port}` }),
        /^COUCHDB_URL: no secure connection .*self-signed/,
      );
      await expectRefusal(
        read({ COUCHDB_URL: `http://app:${secret}@localhost:${port}` }),
        /^COUCHDB_URL: .*wants TLS \(https:\/\/\)/,
      );
      const plain = await portOf(createHttpServer(answer));
      await expectRefusal(
        read({ COUCHDB_URL: `https://app:${secret}@localhost:${plain}` }),
        /^COUCHDB_URL: no secure connection/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("couchdb driver on couchdb", () => {
  let url: string | undefined;
  const database = `s_${process.pid}`;

  beforeAll(async () => {
    url = (await server("couchdb"))?.url;
  });

  beforeEach((context) => context.skip(url === undefined, "no couchdb server here"));

  afterEach(async () => {
    if (url) await ask("", "DELETE");
  });

  const settings = (more: Partial<StoreSettings> = {}): StoreSettings => ({
    ...readStoreSettings(new Environment({ COUCHDB_URL: url as string, COUCHDB_DATABASE: database })),
    ...more,
  });

  async function ask(path: string, method = "GET", body?: object): Promise<Record<string, unknown>> {
    const its = settings();
    const headers = {
      authorization: `Basic ${btoa(`${its.user}:${its.password}`)}`,
      "content-type": "application/json",
    };
    const target = `${its.url}/${database}${path}`;
    const answer = await fetch(target, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** Beside the session's document, as two nodes leave it that have both taken a write. */
  async function leaveConflict(id: string, changed: object, generation: number): Promise<void> {
    const document = await ask(`/session-${id}`);
    const _rev = `${generation}-${randomBytes(16).toString("hex")}`;
    await ask("/_bulk_docs", "POST", { docs: [{ ...document, ...changed, _rev }], new_edits: false });
    expect((await ask(`/session-${id}?conflicts=true`))._conflicts).toHaveLength(1);
  }

  test("F3: a wrong password and an unknown user name their settings; a missing database too", async () => {
    const wrong = settings({ password: "not-the-password", fromUrl: false });
    await expectRefusal(wrong, /^COUCHDB_USER or COUCHDB_PASSWORD: .* refuses user "/);
    await expectRefusal({ ...wrong, fromUrl: true }, /^COUCHDB_URL: .* refuses user "/);
    await expectRefusal(
      { ...wrong, user: "nobody-here" },
      /^COUCHDB_USER or COUCHDB_PASSWORD: .* refuses user "nobody-here"/,
    );
    await expectRefusal({ ...wrong, user: "" }, /^COUCHDB_USER or COUCHDB_PASSWORD: .* refuses user ""/);
    const driver = open(settings());
    const works = [driver.check(), driver.read("x", { now: START }), driver.ping()];
    for (const error of await Promise.all(works.map(failure))) {
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(new RegExp(`^COUCHDB_DATABASE: there is no database "${database}"`));
    }
  });

  test("F3: a URL that names the database says so", async () => {
    await open(settings()).setup();
    const { url: base } = settings();
    const driver = open({ ...settings({ url: `${base}/${database}` }), fromUrl: true });
    for (const error of await Promise.all([driver.setup(), driver.ping()].map(failure))) {
      expect(error.message).toBe("COUCHDB_URL: its path must not name the database (COUCHDB_DATABASE does)");
    }
  });

  test("P6: check finds a design document that is missing or another; setup mends it and keeps the sessions", async () => {
    const driver = open(settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "kept" });
    const design = await ask("/_design/sessions");
    await ask("/_design/sessions", "PUT", { ...design, views: { by_user: { map: "function (doc) {}" } } });
    expect((await failure(driver.check())).message).toMatch(
      /_design\/sessions is not as in schema\.json: run "npm run sessions -- setup"/,
    );
    await driver.setup();
    await driver.check();
    expect((await driver.listByUser("kept", START, 10)).map(comparable)).toEqual([comparable(row)]);
  });

  test("P6: setup leaves a design document alone that is right: its indexes need not be built again", async () => {
    const driver = open(settings());
    await driver.setup();
    const { _rev } = await ask("/_design/sessions");
    await driver.setup();
    expect((await ask("/_design/sessions"))._rev).toBe(_rev);
  });

  test("S10: a change after a read in the same process is one request; others' changes are found out and kept", async () => {
    const [one, other] = [open(settings()), open(settings())];
    await one.setup();
    const row = await createRow(one, { data: '{"a":1}' });
    for (let n = 0; n < 5; n++) {
      expect((await existing(one, row.id)).id).toBe(row.id);
      expect(await other.change(row.id, { now: START, set: set({ [`other ${n}`]: n }) })).toBe("done");
      expect(await one.change(row.id, { now: START, set: set({ [`one ${n}`]: n }) })).toBe("done");
    }
    expect(Object.keys(JSON.parse((await existing(other, row.id)).data) as object)).toHaveLength(11);
    // What is remembered never refuses a change: only what has just been read does.
    const { version } = await existing(one, row.id);
    const renewed = newHash();
    expect(await other.change(row.id, { now: START, secretHash: renewed })).toBe("done");
    expect(
      await one.change(row.id, { now: START, set: set({ b: 1 }), ifVersion: version + 1, ifSecretHash: renewed }),
    ).toBe("done");
    expect(await other.end(row.id)).toBe(true);
    expect(await one.change(row.id, { now: START, set: set({ c: 1 }) })).toBe("gone");
    expect(await stored(one, row.id)).toBeUndefined();
  });

  test.each([
    ["the loser", 1],
    ["the winner", 9],
  ])("S14: a conflict that a cluster left, with %s on the other side, ends with its session", async (_, generation) => {
    const driver = open(settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "twice", data: '{"a":1}' });
    await driver.change(row.id, { now: START, set: set({ b: 2 }) });
    await leaveConflict(row.id, { data: '{"other":1}' }, generation);
    expect(await open(settings()).end(row.id)).toBe(true);
    expect(await stored(driver, row.id)).toBeUndefined();
    expect(await driver.change(row.id, { now: START, set: set({ c: 1 }) })).toBe("gone");
    expect(await driver.listByUser("twice", START, 10)).toEqual([]);
  });

  test("S10, S24: a change drops a conflict's loser; endByUser and endAll leave none", async () => {
    const driver = open(settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "many", data: '{"a":1}' });
    await leaveConflict(row.id, { data: '{"other":1}' }, 1);
    expect((await existing(driver, row.id)).id).toBe(row.id);
    expect(await driver.change(row.id, { now: START, set: set({ b: 1 }) })).toBe("done");
    expect((await ask(`/session-${row.id}?conflicts=true`))._conflicts).toBeUndefined();
    await leaveConflict(row.id, {}, 1);
    expect(await driver.endByUser("many")).toEqual([row.id]);
    expect(await stored(driver, row.id)).toBeUndefined();
    const another = await createRow(driver);
    await leaveConflict(another.id, {}, 1);
    expect(await driver.endAll()).toBe(1);
    expect(await stored(driver, another.id)).toBeUndefined();
  });

  test.each([
    ["data that is no JSON", { data: "{" }],
    ["data that is no object", { data: "[1]" }],
    ["a user that is no JSON", { user: "alice" }],
    ["a user that is no text", { user: 5 }],
    ["a time that is no number", { expires: "soon" }],
    ["a secret hash of 3 bytes", { secretHash: "AAAA" }],
    ["a field that is missing", { ipaddress: undefined }],
  ])("F5: %s is UnreadableRow", async (_, spoilt) => {
    const driver = open(settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "spoilt" });
    await ask(`/session-${row.id}`, "PUT", { ...(await ask(`/session-${row.id}`)), ...spoilt });
    expect(await failure(driver.read(row.id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect(await failure(open(settings()).change(row.id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect(await driver.page({ now: START, limit: 10 })).toEqual([]);
    await driver.stats(START);
    expect(await driver.end(row.id)).toBe(true);
  });

  describe("before a server that can purge", () => {
    const purged: Record<string, string[]>[] = [];
    let status = 201;

    /** The real server, but for `_purge`, which the stand-in hasn't got. */
    async function proxy(delay = 0): Promise<StoreSettings> {
      purged.length = 0;
      const target = new URL(settings().url);
      const forward = (request: IncomingMessage, response: Parameters<RequestListener>[1]) => {
        const options = {
          host: target.hostname,
          port: target.port,
          path: request.url,
          method: request.method,
          headers: request.headers,
        };
        const onward = httpRequest(options, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        request.pipe(onward);
      };
      const listening = createHttpServer((request, response) => {
        if (request.url !== `/${database}/_purge`) return void setTimeout(forward, delay, request, response);
        void text(request).then((body) => {
          purged.push(JSON.parse(body) as Record<string, string[]>);
          response.writeHead(status, { "content-type": "application/json" });
          const error = status === 404 ? "not_found" : "forbidden";
          response.end(status === 201 ? '{"purge_seq":null,"purged":{}}' : `{"error":"${error}","reason":"no"}`);
        });
      });
      return settings({ url: `http://127.0.0.1:${await portOf(listening)}` });
    }

    const ids = () => purged.flatMap((batch) => Object.keys(batch)).sort();

    test("S8: what was ended or has expired is purged, with the revision of its tombstone, at most 100 at once", async () => {
      status = 201;
      const driver = open(await proxy());
      await driver.setup();
      const rows = await Promise.all(Array.from({ length: 103 }, () => createRow(driver, { idle: 100 })));
      const ended = await createRow(driver, { userid: "leaver" });
      const before = await ask(`/session-${ended.id}`);
      expect(await driver.end(ended.id)).toBe(true);
      const kept = await createRow(driver);
      expect(await driver.purge(START + 101, 1000)).toBe(103);
      expect(ids()).toEqual([...rows, ended].map(({ id }) => `session-${id}`).sort());
      for (const batch of purged) expect(Object.keys(batch).length).toBeLessThanOrEqual(100);
      const deleted = (await ask(`/session-${ended.id}?open_revs=all`)) as unknown as { ok: { _rev: string } }[];
      // The revision before it too: a node that has missed the deletion must not bring the session back.
      expect(purged.find((batch) => `session-${ended.id}` in batch)?.[`session-${ended.id}`]).toEqual([
        deleted[0]?.ok._rev,
        before._rev,
      ]);
      expect((await existing(driver, kept.id)).id).toBe(kept.id);
      expect(await driver.purge(START + 101, 1000)).toBe(0);
      expect(ids()).toHaveLength(104);
    });

    test("S8: after 100 endings the tombstones go without waiting for a purge", async () => {
      status = 201;
      const driver = open(await proxy());
      await driver.setup();
      await Promise.all(Array.from({ length: 100 }, () => createRow(driver, { userid: "crowd" })));
      await driver.endByUser("crowd");
      expect(ids()).toHaveLength(100);
    });

    test("S8, S24: a user's sessions end batch by batch, each in its own time", async () => {
      const driver = open(await proxy(1500), 6000);
      const direct = open(settings());
      await direct.setup();
      await Promise.all(Array.from({ length: 600 }, () => createRow(direct, { userid: "crowd" })));
      await direct.listByUser("crowd", START, 1);
      const started = performance.now();
      expect(await driver.endByUser("crowd")).toHaveLength(600);
      expect(performance.now() - started).toBeGreaterThan(6000);
    });

    test.each([401, 404])(
      "S8, S14: a purge that fails for a moment (%i) ends no session less, and is made up for",
      async (momentary) => {
        status = momentary;
        const driver = open(await proxy());
        await driver.setup();
        const rows = await Promise.all(Array.from({ length: 100 }, () => createRow(driver)));
        for (const { id } of rows) expect(await driver.end(id)).toBe(true);
        expect(purged).toHaveLength(1);
        status = 201;
        purged.length = 0;
        await driver.purge(START, 1000);
        expect(ids()).toEqual(rows.map(({ id }) => `session-${id}`).sort());
      },
    );

    test("S8: a user who may not purge is asked once and told so, and sessions end all the same", async () => {
      status = 403;
      const warned = once(process, "warning");
      const driver = open(await proxy());
      await driver.setup();
      for (let round = 0; round < 2; round++) {
        await createRow(driver, { idle: 100 });
        expect(await driver.purge(START + 101, 1000)).toBe(1);
      }
      expect(purged).toHaveLength(1);
      expect(String((await warned)[0])).toMatch(/^Warning: CouchDB lets only server admins purge: /);
    });

    test("S8: tombstones wait while the server fails", async () => {
      status = 503;
      const driver = open(await proxy());
      await driver.setup();
      const row = await createRow(driver, { idle: 100 });
      expect(await failure(driver.purge(START + 101, 1000))).toBeInstanceOf(StoreUnavailable);
      expect(await stored(driver, row.id)).toBeUndefined();
      status = 201;
      expect(await driver.purge(START + 101, 1000)).toBe(0);
      expect(ids()).toEqual([`session-${row.id}`, `session-${row.id}`]);
    });
  });

  describe("a server of its own", () => {
    let own: FreshServer | undefined;

    async function start(): Promise<StoreSettings> {
      own = await freshServer("couchdb", { durable: true });
      if (!own) throw new Error("no couchdb server here");
      return readStoreSettings(new Environment({ COUCHDB_URL: own.url }));
    }

    afterEach(async () => await own?.stop());

    test("F1: a hung server is StoreUnavailable in time, over and over, and works as soon as it goes on", async () => {
      const driver = open(await start(), TIMEOUT);
      await driver.setup();
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
        expect(performance.now() - started).toBeLessThan(2 * TIMEOUT);
      }
      await own?.resume();
      await waitFor(() => answers(driver));
      await waitFor(async () => (await driver.change(row.id, { now: START, touch: { lifetime: HOUR } })) === "done");
      expect((await existing(driver, row.id)).id).toBe(row.id);
    });

    test("F1, F3: a killed server is StoreUnavailable at once; the app finds it when it is back, and sets it up", async () => {
      const driver = open(await start(), TIMEOUT);
      await driver.setup();
      const row = await createRow(driver);
      await own?.kill();
      const started = performance.now();
      const works = [driver.ping(), driver.read(row.id, { now: START }), driver.end(row.id), driver.purge(START, 1)];
      for (const error of await Promise.all(works.map(failure))) expect(error).toBeInstanceOf(StoreUnavailable);
      expect(performance.now() - started).toBeLessThan(TIMEOUT);
      await own?.restart();
      await waitFor(
        async () =>
          await driver.setup().then(
            () => true,
            () => false,
          ),
      );
      if (own?.keepsData) expect(comparable(await existing(driver, row.id))).toEqual(comparable(row));
      const later = await createRow(driver, { userid: "later" });
      expect((await driver.listByUser("later", START, 10)).map(comparable)).toEqual([comparable(later)]);
    });
  });
});

async function answers(driver: SessionDriver): Promise<boolean> {
  return await driver.ping().then(
    () => true,
    () => false,
  );
}
