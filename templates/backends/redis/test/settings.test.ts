// What the Redis driver says of wrong settings, and how it bears servers that hang, die, refuse or are set up oddly.
// Change it when a setting is added, or an error gets another line.

import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createClient, ErrorReply } from "redis";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable, UnreadableRow } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD, servers, sockets } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, HOUR, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { freePorts, program, run } from "../../../../test/servers/machine.ts";
import { type FreshServer, freshServer, server } from "../../../../test/servers/server.ts";
import { Unit } from "../../../../test/servers/unit.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { asStoreError } from "../files/src/store/errors.ts";
import { describeStore, readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

/** What is hung, dead or wrong is waited for no longer. */
const TIMEOUT = 1000;

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
    for (const url of settings.urls) {
      expect(error.message).not.toContain(new URL(url).password || PASSWORD);
      expect(error.message).not.toContain(PASSWORD);
    }
  }
}

/** A port where something else answers. */
async function listen(answer: (socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy()));
    answer(socket);
  });
  servers.push(listening);
  await once(listening.listen(0, "127.0.0.1"), "listening");
  return (listening.address() as AddressInfo).port;
}

const read = (variables: Record<string, string> = {}) => readStoreSettings(new Environment(variables));
const secret = encodeURIComponent(PASSWORD);

describe("redis settings", () => {
  test("P3: one server, a cluster, Sentinels, and how each is described, without its password", () => {
    expect(read()).toEqual({ urls: ["redis://localhost:6379"], sentinels: [], prefix: "sessions" });
    expect(describeStore(read())).toBe("Redis at localhost:6379");
    expect(describeStore(read({ REDIS_URL: `rediss://app:${secret}@[::1]:6380/3` }))).toBe("Redis at [::1]:6380/3");
    expect(describeStore(read({ REDIS_URL: "unix:///run/redis.sock" }))).toBe("Redis at /run/redis.sock");
    const cluster = read({ REDIS_URL: `redis://:${secret}@a:1, redis://:${secret}@b:2/`, REDIS_PREFIX: "shop:s" });
    expect(cluster).toMatchObject({ urls: [`redis://:${secret}@a:1`, `redis://:${secret}@b:2/`], prefix: "shop:s" });
    expect(describeStore(cluster)).toBe("Redis Cluster at a:1, b:2");
    const sentinels = read({
      REDIS_URL: `redis://:${secret}@mymaster`,
      REDIS_SENTINELS: `a:26379,redis://:${secret}@b`,
    });
    expect(sentinels.sentinels).toEqual(["redis://a:26379", `redis://:${secret}@b`]);
    expect(describeStore(sentinels)).toBe('Redis master "mymaster" by Sentinels a:26379, b');
  });

  test.each([
    ["REDIS_URL", { REDIS_URL: `http://:${secret}@h` }],
    ["REDIS_URL", { REDIS_URL: PASSWORD }],
    ["REDIS_URL", { REDIS_URL: "redis://" }],
    ["REDIS_URL", { REDIS_URL: `redis://:${secret}@h/sessions` }],
    ["REDIS_URL", { REDIS_URL: `redis://:%zz${secret}@h` }],
    ["REDIS_URL", { REDIS_URL: "redis://a,redis://b/1" }],
    ["REDIS_URL", { REDIS_URL: "," }],
    ["REDIS_URL", { REDIS_URL: "redis://a,redis://b", REDIS_SENTINELS: "s1" }],
    ["REDIS_URL", { REDIS_URL: "unix:///run/redis.sock", REDIS_SENTINELS: "s1" }],
    ["REDIS_SENTINELS", { REDIS_SENTINELS: "s1:port" }],
    ["REDIS_SENTINELS", { REDIS_SENTINELS: "http://s1" }],
    ["REDIS_PREFIX", { REDIS_PREFIX: "a*" }],
    ["REDIS_PREFIX", { REDIS_PREFIX: "{a}" }],
    ["REDIS_PREFIX", { REDIS_PREFIX: "x".repeat(64) }],
    ["REDIS_PREFIX", { REDIS_PREFIX: "a b" }],
  ])("P3, F6: a wrong %s is refused in a line that names it: %o", (name, wrong) => {
    expect(() => read(wrong)).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(() => read(wrong)).toThrow(new RegExp(`^${name}[^\\n]{10,300}$`));
    expect(() => read(wrong)).not.toThrow(PASSWORD);
    expect(() => read(wrong)).not.toThrow(secret);
  });

  test("F3: no such host, nothing on the port, no such socket: each names the setting", async () => {
    const port = await listen((socket) => socket.destroy());
    servers.pop()?.close();
    const host = `redis://:${secret}@no-such-host.invalid:1`;
    await expectRefusal(read({ REDIS_URL: host }), /^REDIS_URL: there is no such host: .*no-such-host\.invalid/);
    await expectRefusal(read({ REDIS_URL: `${host},${host}` }), /^REDIS_URL: there is no such host: Redis Cluster at/);
    const closed = `redis://:${secret}@127.0.0.1:${port}`;
    await expectRefusal(
      read({ REDIS_URL: closed }),
      new RegExp(`^REDIS_URL: nothing answers.*:${port} \\(ECONNREFUSED`),
    );
    await expectRefusal(read({ REDIS_URL: `${closed},${closed}` }), /^REDIS_URL: nothing answers there: Redis Cluster/);
    await expectRefusal(
      read({ REDIS_URL: "unix:///no/such/socket" }),
      /^REDIS_URL: nothing .*\/no\/such\/socket \(ENOENT/,
    );
    const sentinels = { REDIS_URL: `redis://:${secret}@mymaster`, REDIS_SENTINELS: `127.0.0.1:${port}` };
    await expectRefusal(read(sentinels), /^REDIS_SENTINELS or REDIS_URL: .*Redis master "mymaster"/);
  });

  test("F1: what Redis 6.2 puts before a script's error hides no meaning", () => {
    const script = "ERR Error running script (call to f_0a1b): @user_script:4: @user_script: 4: ";
    const meant = (said: string) => asStoreError(new ErrorReply(`${script}-${said}`), undefined, read());
    for (const said of ["READONLY You can't write against a read only replica.", "OOM command not allowed"]) {
      expect(meant(said)).toBeInstanceOf(StoreUnavailable);
    }
    expect(meant("WRONGTYPE Operation against a key")).toBeInstanceOf(UnreadableRow);
  });

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => undefined],
    ["a closed door", (socket) => socket.destroy()],
    ["a banner", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")],
    ["an HTTP error", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")],
    ["zeros", (socket) => socket.write(Buffer.alloc(4096))],
    ["noise", (socket) => socket.write(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 73) % 256)))],
  ])("F3, F6: a port where %s answers is named, within the time, and ends no process", async (_, answer) => {
    const port = await listen(answer);
    const started = performance.now();
    await expectRefusal(read({ REDIS_URL: `redis://:${secret}@127.0.0.1:${port}` }), /^REDIS_URL: /);
    await expectRefusal(read({ REDIS_URL: `rediss://:${secret}@127.0.0.1:${port}` }), /^REDIS_URL: /);
    expect(performance.now() - started).toBeLessThan(TIMEOUT * 9);
  });
});

describe("redis driver on redis", () => {
  let url: string | undefined;
  const prefix = `s_${process.pid}`;

  beforeAll(async () => {
    url = (await server("redis"))?.url;
  });

  beforeEach((context) => context.skip(url === undefined, "no redis server here"));

  const settings = (change: (url: URL) => void = () => undefined): StoreSettings => {
    const changed = new URL(url as string);
    change(changed);
    return { urls: [changed.href], sentinels: [], prefix };
  };

  async function command(...args: string[]): Promise<unknown> {
    const client = await createClient({ url: url as string }).connect();
    try {
      return await client.sendCommand(args);
    } finally {
      client.destroy();
    }
  }

  test("F3: a wrong password, an unknown user, no password, a missing database, a server that is no cluster", async () => {
    const wrong = settings((its) => (its.password = "not-the-password"));
    await expectRefusal(wrong, /^REDIS_URL: Redis at .* refuses this user or password \(WRONGPASS\)$/);
    await expectRefusal(
      settings((its) => (its.username = "nobody")),
      /^REDIS_URL: .* refuses this user or password/,
    );
    await expectRefusal(
      settings((its) => (its.password = "")),
      /^REDIS_URL: .* refuses this user or password \(NOAUTH\)/,
    );
    await expectRefusal(
      settings((its) => (its.pathname = "/9999")),
      /^REDIS_URL: .* has no such database/,
    );
    const [one = ""] = settings().urls;
    await expectRefusal({ ...settings(), urls: [one, one] }, /^REDIS_URL: names several servers, but .* is no cluster/);
    await expectRefusal(
      settings((its) => (its.href = its.href.replace("redis:", "rediss:"))),
      /^REDIS_URL: no secure connection/,
    );
  });

  const RULES = `~${prefix}:* +hgetall +hmget +zrange +zrem +unlink +scan +ping +evalsha +eval +exists +hset +hdel +hincrby +hget +del +pexpire +zadd +zremrangebyscore`;

  test.each(["", "/1"])("P6: the permissions that the README lists are enough, for database %j", async (database) => {
    const rules = database ? `${RULES} +select` : RULES;
    await command("ACL", "SETUSER", "app", "reset", "on", `>${PASSWORD}`, ...rules.split(" "));
    const driver = open(
      settings((its) => {
        its.username = "app";
        its.password = secret;
        its.pathname = database;
      }),
    );
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
    expect(await driver.page({ now: START, limit: 10 })).toHaveLength(1);
    expect(await driver.stats(START)).toMatchObject({ live: 1, signedIn: 1 });
    expect(await driver.endByUser("other")).toEqual([row.id]);
    await createRow(driver);
    expect(await driver.endAll()).toBe(1);
    await driver.ping();
    await command("ACL", "DELUSER", "app");
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
  ])("P6: check finds that %s is not granted", async (lacking) => {
    const rules = RULES.split(" ").filter((rule) => rule !== lacking);
    await command("ACL", "SETUSER", "app", "reset", "on", `>${PASSWORD}`, ...rules);
    await expectDenied(
      open(
        settings((its) => {
          its.username = "app";
          its.password = secret;
        }),
      ),
    );
    await command("ACL", "DELUSER", "app");
  });

  async function expectDenied(driver: SessionDriver): Promise<void> {
    const error = await failure(driver.check());
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^REDIS_URL: Redis at .* denies the user a permission \([^\n]*\)$/);
  }

  test("F5: a key of another kind in a session's place is UnreadableRow, for read and change, and can be ended", async () => {
    const driver = open(settings());
    const { id } = newRow();
    await command("SET", `${prefix}:id:${id}`, "no hash");
    expect(await failure(driver.read(id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect(await failure(driver.change(id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect(await driver.end(id)).toBe(true);
  });

  test.each([
    ["a value that is no JSON", ["HSET", '"a"', "{"]],
    ["a user that is no JSON", ["HSET", "userid", "alice"]],
    ["a time that is no number", ["HSET", "expires", "soon"]],
    ["a field that is missing", ["HDEL", "ipaddress"]],
    ["a short secret hash", ["HSET", "secretHash", "AAAA"]],
  ])("F5: %s is UnreadableRow", async (_, [verb = "", ...rest]) => {
    const driver = open(settings());
    const row = await createRow(driver, { data: '{"a":1}' });
    await command(verb, `${prefix}:id:${row.id}`, ...rest);
    expect(await failure(driver.read(row.id, { now: START }))).toBeInstanceOf(UnreadableRow);
    await driver.stats(START);
    expect(await driver.end(row.id)).toBe(true);
  });

  test("S15: a user's index forgets what has expired, and itself once its last session has", async () => {
    const driver = open(settings());
    const index = `${prefix}:user:"index"`;
    const [first, second] = [
      await createRow(driver, { userid: "index", idle: 100 }),
      await createRow(driver, { userid: "index" }),
    ];
    await command("DEL", `${prefix}:id:${first.id}`);
    expect(await driver.listByUser("index", START, 10)).toHaveLength(1);
    expect(await command("ZRANGE", index, "0", "-1")).toEqual([second.id]);
    const life = (await command("PTTL", index)) as number;
    expect(life).toBeGreaterThan(HOUR * 1000);
    expect(life).toBeLessThanOrEqual((3 * HOUR + 1) * 1000);
    // Three idle times later another sign-in finds only itself.
    const now = START + 4 * HOUR;
    const third = await createRow(driver, { userid: "index", created: now });
    expect(await command("ZRANGE", index, "0", "-1")).toEqual([third.id]);
    expect(await driver.end(third.id)).toBe(true);
    await waitFor(async () => (await command("EXISTS", index)) === 0);
  });

  test("S15: a session that is used for long stays in its user's index", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { userid: "regular", idle: HOUR });
    for (let now = START; now < START + 20 * HOUR; now += HOUR / 2) {
      expect(await driver.change(row.id, { now, touch: { lifetime: 100 * HOUR } })).toBe("done");
      await createRow(driver, { userid: "regular", created: now, idle: 1 });
      expect((await driver.listByUser("regular", now, 10)).map(({ id }) => id)).toContain(row.id);
    }
    expect(await driver.endByUser("regular")).toContain(row.id);
  });

  test("S15, S24: a session whose index could not be told is told of again, and ended with its user's others", async () => {
    const rules = ["SETUSER", "app", "reset", "on", `>${PASSWORD}`, ...RULES.split(" ")];
    await command("ACL", ...rules);
    const driver = open(
      settings((its) => {
        its.username = "app";
        its.password = secret;
      }),
    );
    const row = await createRow(driver, { userid: "elsewhere", idle: HOUR });
    const at = (hours: number) => ({ now: START + hours * HOUR, touch: { lifetime: 100 * HOUR } });
    expect(await driver.change(row.id, at(0.9))).toBe("done");
    await command("ACL", "SETUSER", "app", "-zadd");
    expect(await failure(driver.change(row.id, at(1.5)))).toBeInstanceOf(StoreUnavailable);
    await command("ACL", ...rules);
    expect(await driver.change(row.id, at(2.4))).toBe("done");
    // The next sign-in drops from the index what it has kept for long enough.
    const other = await createRow(driver, { userid: "elsewhere", created: START + 3.2 * HOUR });
    expect((await driver.endByUser("elsewhere")).sort()).toEqual([row.id, other.id].sort());
    await command("ACL", "DELUSER", "app");
  });

  test("S15: the index is told once per idle time, not with every touch", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { userid: "steady", idle: HOUR });
    const told = async () => await command("ZSCORE", `${prefix}:user:"steady"`, row.id);
    const noted = async () => await command("HGET", `${prefix}:id:${row.id}`, "indexed");
    const touched = async (hours: number) => {
      const change = { now: START + hours * HOUR, touch: { lifetime: 100 * HOUR } };
      expect(await driver.change(row.id, change)).toBe("done");
      return Number(await told()) - START;
    };
    expect(await touched(0.9)).toBe(3 * HOUR);
    expect(await touched(1.5)).toBe(4.5 * HOUR);
    await waitFor(async () => Number(await noted()) === START + 4.5 * HOUR);
    expect(await touched(2.4)).toBe(4.5 * HOUR);
    expect(await touched(2.6)).toBe(5.6 * HOUR);
  });

  test("S10: scripts that the server has forgotten are sent again", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { data: '{"a":1}' });
    await command("SCRIPT", "FLUSH");
    expect(await driver.change(row.id, { now: START, set: set({ b: 2 }) })).toBe("done");
    await command("SCRIPT", "FLUSH");
    const changes = Array.from({ length: 20 }, (_, n) =>
      driver.change(row.id, { now: START, set: set({ [`k${n}`]: n }) }),
    );
    expect(new Set(await Promise.all(changes))).toEqual(new Set(["done"]));
    expect(Object.keys(JSON.parse((await existing(driver, row.id)).data) as object)).toHaveLength(22);
  });

  test("S18: more keys than Lua can unpack at once", async () => {
    const driver = open(settings());
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, number) => [`${number}`, number]));
    const row = await createRow(driver, { data: JSON.stringify(many) });
    expect(
      await driver.change(row.id, { now: START, set: set(many), remove: Object.keys(many).map((key) => `${key}.`) }),
    ).toBe("done");
    expect(await driver.change(row.id, { now: START, remove: Object.keys(many) })).toBe("done");
    expect((await existing(driver, row.id)).data).toBe("{}");
  });

  test("S8: Redis removes a session a second after its last one, by the app's clock", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { idle: 100 });
    const life = (await command("PTTL", `${prefix}:id:${row.id}`)) as number;
    expect(life).toBeGreaterThan(95_000);
    expect(life).toBeLessThanOrEqual(101_000);
    await driver.change(row.id, { now: START + 50, touch: { lifetime: HOUR } });
    expect(await command("PTTL", `${prefix}:id:${row.id}`)).toBeGreaterThan(life - 5000);
  });

  describe("a server of its own", () => {
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
      for (let round = 0; round < 3; round++) {
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
        const onward = connect(Number(target.port), "127.0.0.1");
        sockets.add(onward);
        socket.on("data", (data) => deaf || onward.write(data));
        onward.on("data", (data) => deaf || socket.write(data));
      });
      const through = own?.url.replace(`:${target.port}`, `:${port}`) as string;
      const driver = open({ ...its, urls: [through] }, TIMEOUT);
      await driver.setup();
      deaf = true;
      expect(await failure(driver.ping())).toBeInstanceOf(StoreUnavailable);
      deaf = false;
      await waitFor(() => answers(driver));
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
          const onward = connect(target, "127.0.0.1");
          sockets.add(onward.on("error", () => socket.destroy()));
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
          driver.change(rows[0].id, { now: START, set: set({ a: 2 }) }).then(
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
      const started = performance.now();
      await driver.close();
      expect(performance.now() - started).toBeLessThan(2 * TIMEOUT);
      expect(await failure(driver.ping())).toBeInstanceOf(StoreUnavailable);
      await own?.resume();
    });

    test("F1, F2: a killed server is StoreUnavailable at once; back again, it has what was answered with success", async () => {
      const driver = open(await start(), TIMEOUT);
      await driver.setup();
      const row = await createRow(driver, { data: '{"n":0}', userid: "survivor" });
      expect(await driver.change(row.id, { now: START, set: set({ n: 1 }) })).toBe("done");
      await own?.kill();
      const started = performance.now();
      const works = [driver.ping(), driver.read(row.id, { now: START }), driver.end(row.id), driver.endAll()];
      for (const error of await Promise.all(works.map(failure))) expect(error).toBeInstanceOf(StoreUnavailable);
      expect(performance.now() - started, "no waiting for a server that is known to be down").toBeLessThan(TIMEOUT);
      await own?.restart();
      await waitFor(() => answers(driver));
      expect(comparable(await existing(driver, row.id))).toEqual(comparable({ ...row, data: '{"n":1}' }));
      expect(await driver.listByUser("survivor", START, 10)).toHaveLength(1);
    });

    test("F3: an app that starts before its server finds it once it is there", async () => {
      const its = await start();
      await own?.kill();
      const driver = open(its, TIMEOUT);
      expect(await failure(driver.setup())).toBeInstanceOf(StoreUnavailable);
      await own?.restart();
      await waitFor(() => answers(driver));
      await driver.setup();
    });

    test("F1: a full server refuses writes with StoreUnavailable, and goes on reading", async () => {
      const driver = open(await start(), TIMEOUT);
      const row = await createRow(driver, { data: '{"a":1}' });
      const client = await createClient({ url: own?.url as string }).connect();
      await client.configSet("maxmemory", "1mb");
      const error = await failure(driver.change(row.id, { now: START, set: set({ b: "x".repeat(1000) }) }));
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(/^Redis at .*OOM/);
      expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
      client.destroy();
    });

    test("F3: a replica is named as what it is", async () => {
      const its = await start();
      const client = await createClient({ url: own?.url as string }).connect();
      const target = new URL(url as string);
      await client.configSet("masterauth", target.password);
      await client.sendCommand(["REPLICAOF", target.hostname, target.port]);
      await waitFor(async () => (await client.info("replication")).includes("master_link_status:up"));
      const error = await failure(open(its, TIMEOUT).setup());
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(/^REDIS_URL: .* is a read-only replica/);
      client.destroy();
    });
  });

  test("P3: a Unix socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "redis-socket-"));
    const socket = join(folder, "redis.sock");
    const unit = new Unit({
      command: [
        program("redis-server", "apt-get install redis-server"),
        "--port",
        "0",
        "--unixsocket",
        socket,
        "--save",
        "",
        "--dir",
        folder,
      ],
      unprivileged: false,
      ready: (output) => /ready to accept connections/i.test(output),
      stopSignal: "SIGTERM",
    });
    try {
      await unit.start();
      const driver = open(read({ REDIS_URL: `unix://${socket}`, REDIS_PREFIX: prefix }));
      await driver.setup();
      const row = await createRow(driver, { userid: "near" });
      expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
      expect(await driver.endByUser("near")).toEqual([row.id]);
    } finally {
      await unit.kill();
      await rm(folder, { recursive: true });
    }
  });

  test("TLS: with the right CA it connects; without, or by redis://, it says which setting is at fault", async () => {
    const folder = await mkdtemp(join(tmpdir(), "redis-tls-"));
    const [port = 0] = await freePorts(1);
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    await run([
      "openssl",
      ...request,
      "-keyout",
      key,
      "-out",
      certificate,
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
    ]);
    const unit = new Unit({
      command: [
        ...[
          program("redis-server", "apt-get install redis-server"),
          "--port",
          "0",
          "--tls-port",
          `${port}`,
          "--bind",
          "127.0.0.1",
          "--save",
          "",
        ],
        ...[
          "--tls-cert-file",
          certificate,
          "--tls-key-file",
          key,
          "--tls-ca-cert-file",
          certificate,
          "--tls-auth-clients",
          "no",
        ],
        ...["--requirepass", PASSWORD, "--dir", folder],
      ],
      unprivileged: false,
      ready: (output) => output.includes("Ready to accept connections"),
      stopSignal: "SIGTERM",
    });
    try {
      await unit.start();
      const over = (protocol: string, host = "localhost") => [`${protocol}://:${secret}@${host}:${port}`];
      await expectRefusal({ ...settings(), urls: over("rediss") }, /^REDIS_URL: no secure connection .*self-signed/);
      await expectRefusal({ ...settings(), urls: over("redis") }, /^REDIS_URL: .*wants TLS \(rediss:\/\/\)/);
      const usual = getCACertificates("default");
      setDefaultCACertificates([...usual, await readFile(certificate, "utf8")]);
      try {
        const driver = open({ ...settings(), urls: over("rediss") });
        await driver.setup();
        const row = await createRow(driver, { userid: "encrypted" });
        expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
        await expectRefusal({ ...settings(), urls: over("rediss", "127.0.0.1") }, /^REDIS_URL: no secure connection /);
      } finally {
        setDefaultCACertificates(usual);
      }
    } finally {
      await unit.kill();
      await rm(folder, { recursive: true });
    }
  });
});

async function answers(driver: SessionDriver): Promise<boolean> {
  return await driver.ping().then(
    () => true,
    () => false,
  );
}
