// What the Redis driver says of wrong settings, and of addresses where no Redis answers.
// Change it when a setting is added, or an error gets another line.

import type { Socket } from "node:net";
import { ErrorReply } from "redis";
import { describe, expect, test } from "vitest";
import { StoreUnavailable, UnreadableRow } from "../../../../runtime/src/session/contract.ts";
import { listen, PASSWORD } from "../../../../test/drivers/broken.ts";
import { freePorts } from "../../../../test/servers/machine.ts";
import { asStoreError } from "../files/src/store/errors.ts";
import { describeStore } from "../files/src/store/settings.ts";
import { expectRefusal, read, SECRET, SharedServer } from "./support.ts";

describe("redis settings", () => {
  test("P3: one server, a cluster, Sentinels, and how each is described, without its password", () => {
    expect(read()).toEqual({ urls: ["redis://localhost:6379"], sentinels: [], prefix: "sessions" });
    expect(describeStore(read())).toBe("Redis at localhost:6379");
    expect(describeStore(read({ REDIS_URL: `rediss://app:${SECRET}@[::1]:6380/3` }))).toBe("Redis at [::1]:6380/3");
    expect(describeStore(read({ REDIS_URL: "unix:///run/redis.sock" }))).toBe("Redis at /run/redis.sock");
    const cluster = read({ REDIS_URL: `redis://:${SECRET}@a:1, redis://:${SECRET}@b:2/`, REDIS_PREFIX: "shop:s" });
    expect(cluster).toMatchObject({ urls: [`redis://:${SECRET}@a:1`, `redis://:${SECRET}@b:2/`], prefix: "shop:s" });
    expect(describeStore(cluster)).toBe("Redis Cluster at a:1, b:2");
    const sentinels = read({
      REDIS_URL: `redis://:${SECRET}@mymaster`,
      REDIS_SENTINELS: `a:26379,redis://:${SECRET}@b`,
    });
    expect(sentinels.sentinels).toEqual(["redis://a:26379", `redis://:${SECRET}@b`]);
    expect(describeStore(sentinels)).toBe('Redis master "mymaster" by Sentinels a:26379, b');
  });

  test.each([
    ["REDIS_URL", { REDIS_URL: `http://:${SECRET}@h` }],
    ["REDIS_URL", { REDIS_URL: PASSWORD }],
    ["REDIS_URL", { REDIS_URL: "redis://" }],
    ["REDIS_URL", { REDIS_URL: `redis://:${SECRET}@h/sessions` }],
    ["REDIS_URL", { REDIS_URL: `redis://:%zz${SECRET}@h` }],
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
    expect(() => read(wrong)).not.toThrow(SECRET);
  });

  test("F3: no such host, nothing on the port, no such socket: each names the setting", async () => {
    const [port = 0] = await freePorts(1);
    const host = `redis://:${SECRET}@no-such-host.invalid:1`;
    await expectRefusal(read({ REDIS_URL: host }), /^REDIS_URL: there is no such host: .*no-such-host\.invalid/);
    await expectRefusal(read({ REDIS_URL: `${host},${host}` }), /^REDIS_URL: there is no such host: Redis Cluster at/);
    const closed = `redis://:${SECRET}@127.0.0.1:${port}`;
    await expectRefusal(
      read({ REDIS_URL: closed }),
      new RegExp(`^REDIS_URL: nothing answers.*:${port} \\(ECONNREFUSED`),
    );
    await expectRefusal(read({ REDIS_URL: `${closed},${closed}` }), /^REDIS_URL: nothing answers there: Redis Cluster/);
    await expectRefusal(
      read({ REDIS_URL: "unix:///no/such/socket" }),
      /^REDIS_URL: nothing .*\/no\/such\/socket \(ENOENT/,
    );
    const sentinels = { REDIS_URL: `redis://:${SECRET}@mymaster`, REDIS_SENTINELS: `127.0.0.1:${port}` };
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
  ])("F3, F6: a port where something else listens (%s) is named, and no process ends", async (_, respond) => {
    const port = await listen(respond);
    await expectRefusal(read({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${port}` }), /^REDIS_URL: /);
    await expectRefusal(read({ REDIS_URL: `rediss://:${SECRET}@127.0.0.1:${port}` }), /^REDIS_URL: /);
  });
});

describe("redis settings on redis", () => {
  const shared = new SharedServer();

  test("F3: a wrong password, an unknown user, no password, a missing database, a server that is not a cluster", async () => {
    const wrong = shared.settings((its) => (its.password = "not-the-password"));
    await expectRefusal(wrong, /^REDIS_URL: Redis at .* refuses this user or password \(WRONGPASS\)$/);
    await expectRefusal(
      shared.settings((its) => (its.username = "nobody")),
      /^REDIS_URL: .* refuses this user or password/,
    );
    await expectRefusal(
      shared.settings((its) => (its.password = "")),
      /^REDIS_URL: .* refuses this user or password \(NOAUTH\)/,
    );
    await expectRefusal(
      shared.settings((its) => (its.pathname = "/9999")),
      /^REDIS_URL: .* has no such database/,
    );
    const [one = ""] = shared.settings().urls;
    await expectRefusal(
      { ...shared.settings(), urls: [one, one] },
      /^REDIS_URL: names several servers, but .* is not a cluster/,
    );
    await expectRefusal(
      shared.settings((its) => (its.href = its.href.replace("redis:", "rediss:"))),
      /^REDIS_URL: no secure connection/,
    );
  });
});
