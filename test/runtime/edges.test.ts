// What crosses the edge of the application: tokens, cookies, addresses, origins, and data that can't be stored.
// Uses the memory store throughout: none of this may depend on a backend.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { NodeRequest, normalise } from "../../runtime/src/session/request.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { newToken, parseToken, renewedToken, sameSecret } from "../../runtime/src/session/token.ts";
import { type App, dataOf, open, Visitor, write } from "./visitor.ts";

async function app(settings: Partial<SessionSettings> = {}): Promise<App> {
  const opened = await open("memory", settings);
  if (opened === undefined) throw new Error("the memory store needs no server");
  return opened;
}

describe("tokens", () => {
  test("S1: 64 URL-safe characters, 16 bytes of id and 32 of secret, never the same twice", () => {
    const tokens = Array.from({ length: 1000 }, newToken);
    for (const { text, id } of tokens) {
      expect(text).toMatch(/^[\w-]{64}$/);
      expect(Buffer.from(text, "base64url")).toHaveLength(48);
      expect(id).toBe(Buffer.from(text, "base64url").subarray(0, 16).toString("base64url"));
    }
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(1000);
    expect(new Set(tokens.map(({ secretHash }) => secretHash.toString("hex"))).size).toBe(1000);
  });

  test("S1: a token proves its session, and no other one's; a renewed one has the same id", () => {
    const token = newToken();
    expect(sameSecret(parseToken(token.text) ?? newToken(), token.secretHash)).toBe(true);
    expect(sameSecret(newToken(), token.secretHash)).toBe(false);
    const renewed = renewedToken(token.id);
    expect(renewed.id).toBe(token.id);
    expect(sameSecret(token, renewed.secretHash)).toBe(false);
  });

  test("S3: only what is well-formed is parsed at all", () => {
    const token = newToken().text;
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ maxLength: 70 }), mutated(token)), (text) => {
        expect(parseToken(text) !== undefined).toBe(/^[A-Za-z0-9_-]{64}$/.test(text));
      }),
      { numRuns: 10_000 },
    );
    for (const text of [`${token}=`, ` ${token}`, `${token}\n`, token.slice(1), "", token.replace(/./, "+")]) {
      expect(parseToken(text)).toBeUndefined();
    }
  });

  test("S3, F6: no string as cookie or Bearer header reaches the store unless it is well-formed, and none is an error", async () => {
    const { sessions, driver, ...rest } = await app();
    let reads = 0;
    const { read } = driver;
    driver.read = (...args) => {
      reads++;
      return read.apply(driver, args);
    };
    const target: App = { sessions, driver, ...rest };
    const token = newToken().text;
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ maxLength: 70 }), mutated(token));
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom("cookie", "authorization"), async (value, header) => {
        const before = reads;
        const visitor = new Visitor(target);
        const line = header === "cookie" ? `a=1; session=${value}; b=2` : `Bearer ${value}`;
        const answer = await visitor.visit((session) => session.exists, { headers: { [header]: line } });
        expect(answer).toMatchObject({ result: false, error: undefined, setCookie: [] });
        if (reads > before) expect(value.trim().replaceAll('"', "")).toContain(/[\w-]{64}/.exec(line)?.[0]);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("cookie and Bearer", () => {
  test("S2: a Bearer client gets no cookie, whatever it does", async () => {
    const target = await app();
    const { token } = await target.sessions.start(new Visitor(target).request());
    const client = new Visitor(target);
    client.bearer = token;
    const answer = await client.visit(async (session) => {
      dataOf(session).here = 1;
      await session.signIn("ann");
      return session.token;
    });
    expect(answer.setCookie).toEqual([]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.result).not.toBe(token);
    client.bearer = answer.result;
    expect((await client.visit((session) => session.destroy())).setCookie).toEqual([]);
  });

  test('S3: with start "visit", a request on its way puts no new session over a sign-in', async () => {
    const target = await app({ start: "visit" });
    const visitor = new Visitor(target);
    await visitor.visit(() => {});
    const late = new Visitor(target, visitor.token);
    await visitor.visit((session) => session.signIn("ann"));
    expect((await late.visit((session) => session.exists)).setCookie).toEqual([]);
    expect((await target.driver.stats(target.now)).live).toBe(1);
  });

  test("S2: the cookie counts before the Bearer header", async () => {
    const target = await app();
    const visitor = new Visitor(target);
    await visitor.visit(write("from", "cookie"));
    visitor.bearer = (await target.sessions.start(visitor.request())).token;
    expect((await visitor.visit((session) => dataOf(session).from)).result).toBe("cookie");
    visitor.cookie = "session=nonsense";
    expect((await visitor.visit((session) => [session.exists, session.bearer])).result).toEqual([true, true]);
  });

  const flags: [Partial<SessionSettings>, boolean, string][] = [
    [{}, false, "session=T; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax"],
    [{}, true, "__Host-session=T; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax"],
    [{ production: true }, false, "__Host-session=T; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax"],
    [{ cookieSecure: false }, true, "session=T; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax"],
    [{ cookieSecure: true }, false, "__Host-session=T; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax"],
    [{ cookiePath: "/app" }, true, "__Secure-session=T; Max-Age=86400; Path=/app; HttpOnly; Secure; SameSite=Lax"],
    [
      { cookieDomain: "example.com" },
      true,
      "__Secure-session=T; Max-Age=86400; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax",
    ],
    [{ cookieSameSite: "strict", idle: 60 }, false, "session=T; Max-Age=60; Path=/; HttpOnly; SameSite=Strict"],
    [
      { cookieSameSite: "none", cookieHttpOnly: false, name: "sid" },
      true,
      "__Host-sid=T; Max-Age=86400; Path=/; Secure; SameSite=None",
    ],
  ];
  test.each(flags)("S4: %j, HTTPS %s: %s", async (settings, encrypted, expected) => {
    const visitor = new Visitor(await app(settings));
    visitor.encrypted = encrypted;
    const answer = await visitor.visit(write("here", 1));
    expect(answer.setCookie).toEqual([expected.replace("=T;", `=${answer.session?.token};`)]);
    expect(answer.setCookie[0]?.length).toBeLessThan(4096);
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
  });

  test("S4: behind a trusted proxy HTTPS is what the proxy says; a client's own claim counts for nothing", async () => {
    const visitor = new Visitor(await app({ trustProxy: ["10.0.0.0/8"] }));
    const headers = { "x-forwarded-proto": "https" };
    visitor.remoteAddress = "10.1.2.3";
    expect((await visitor.visit(write("here", 1), { headers })).setCookie[0]).toContain("Secure");
    const forger = new Visitor(await app({ trustProxy: ["10.0.0.0/8"] }));
    expect((await forger.visit(write("here", 1), { headers })).setCookie[0]).not.toContain("Secure");
  });

  test("S4: a Secure cookie over plain HTTP in production is warned of, once, naming what to set", async () => {
    const target = await app({ production: true });
    for (let count = 0; count < 3; count++) await new Visitor(target).visit(write("here", 1));
    const warnings = target.events.filter((event) => event.type === "warning");
    expect(warnings).toEqual([expect.objectContaining({ message: expect.stringContaining("SESSION_TRUST_PROXY") })]);
  });

  test("S23: no-store with a cookie, private where a session was read, nothing where none was", async () => {
    const target = await app();
    const visitor = new Visitor(target);
    const started = await visitor.visit(write("here", 1));
    expect(Object.fromEntries(started.headers)).toEqual({ "cache-control": "no-store", vary: "Cookie" });
    const read = await visitor.visit((session) => session.exists);
    expect(Object.fromEntries(read.headers)).toEqual({ "cache-control": "private", vary: "Cookie" });
    const visit = await target.sessions.begin(visitor.request());
    await visit.finish();
    const headers = new Map<string, string>([["vary", "Accept"]]);
    visit.writeHeaders({
      get: (name) => headers.get(name),
      set: (name, value) => headers.set(name, value),
      appendCookie() {},
    });
    expect([...headers]).toEqual([["vary", "Accept"]]);
  });
});

describe("addresses", () => {
  test.each([
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:102:304", "1.2.3.4"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["1.2.3.4:8080", "1.2.3.4"],
    ["1.2.3", undefined],
    ["unknown", undefined],
    ["", undefined],
  ])("S16: %s is %s", (text, expected) => {
    expect(normalise(text)).toBe(expected);
  });

  const chains: [SessionSettings["trustProxy"], string, string | undefined, string][] = [
    [undefined, "192.0.2.1", "198.51.100.7", "192.0.2.1"],
    [["10.0.0.0/8"], "192.0.2.1", "198.51.100.7", "192.0.2.1"],
    [["10.0.0.0/8"], "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"],
    [["10.0.0.0/8"], "::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "garbage", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", undefined, "10.0.0.1"],
    [["::ffff:10.0.0.0/104"], "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    [["2001:db8::/32"], "2001:DB8::5", "2001:470::1", "2001:470::1"],
    [1, "10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"],
    [2, "10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"],
  ];
  test.each(chains)(
    "S16: trustProxy %j, from %s, X-Forwarded-For %s: the client is %s",
    async (trustProxy, remoteAddress, forwarded, expected) => {
      const visitor = new Visitor(await app({ trustProxy }));
      const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
      const answer = await visitor.visit((session) => session.ipaddress, { remoteAddress, headers });
      expect(answer.result).toBe(expected);
    },
  );

  test.each([
    ["ipAddressLock", { remoteAddress: "192.0.2.2" }, "ipaddress"],
    ["userAgentLock", { headers: { "user-agent": "other" } }, "useragent"],
  ] as const)("S16: %s ends the session for good at the first difference", async (lock, request, by) => {
    const target = await app({ [lock]: true });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
    expect((await visitor.visit((session) => session.exists, request)).result).toBe(false);
    expect((await visitor.visit((session) => session.exists)).result).toBe(false);
    expect(target.events).toContainEqual(expect.objectContaining({ type: "locked", by }));
    expect(target.events).toContainEqual(expect.objectContaining({ type: "ended", reason: "locked" }));
  });

  test("S16: the IP lock sees one address behind its two spellings, and a forged header is no way around it", async () => {
    const visitor = new Visitor(await app({ ipAddressLock: true }));
    await visitor.visit(write("here", 1), { remoteAddress: "::ffff:192.0.2.1" });
    expect((await visitor.visit((session) => session.exists, { remoteAddress: "192.0.2.1" })).result).toBe(true);
    const thief = await visitor.visit((session) => session.exists, {
      remoteAddress: "192.0.2.66",
      headers: { "x-forwarded-for": "192.0.2.1" },
    });
    expect(thief.result).toBe(false);
  });
});

describe("origins", () => {
  const cases: [string, Record<string, string>, boolean][] = [
    ["POST", {}, true],
    ["POST", { "sec-fetch-site": "same-origin" }, true],
    ["POST", { "sec-fetch-site": "none" }, true],
    ["POST", { "sec-fetch-site": "cross-site" }, false],
    ["POST", { "sec-fetch-site": "same-site" }, false],
    ["POST", { "sec-fetch-site": "cross-site", origin: "https://app.example" }, false],
    ["POST", { "sec-fetch-site": "cross-site", origin: "https://friend.example" }, true],
    ["POST", { origin: "https://app.example" }, true],
    ["POST", { origin: "http://APP.example" }, true],
    ["POST", { origin: "https://app.example", host: "app.example:443" }, true],
    ["POST", { origin: "https://app.example", host: "app.example:80" }, false],
    ["POST", { origin: "https://evil.example" }, false],
    ["POST", { origin: "https://app.example.evil.example" }, false],
    ["POST", { origin: "https://app.example:8443" }, false],
    ["POST", { origin: "null" }, false],
    ["POST", { origin: "garbage" }, false],
    ["POST", { origin: "https://friend.example" }, true],
    ["GET", { "sec-fetch-site": "cross-site" }, true],
    ["HEAD", { origin: "https://evil.example" }, true],
    ["OPTIONS", { origin: "https://evil.example" }, true],
    ["GET", { upgrade: "websocket", origin: "https://evil.example" }, false],
    ["GET", { upgrade: "websocket", origin: "https://app.example" }, true],
    ...["PUT", "PATCH", "DELETE", "post", "CUSTOM"].map((method): [string, Record<string, string>, boolean] => [
      method,
      { "sec-fetch-site": "cross-site" },
      false,
    ]),
  ];
  test.each(cases)("S17: %s %j passes: %s, with and without a session", async (method, headers, passes) => {
    const target = await app({ allowedOrigins: ["https://friend.example"] });
    const visitor = new Visitor(target);
    for (let round = 0; round < 2; round++) {
      const { error } = await visitor.visit(() => {}, { method, headers });
      if (passes) expect(error).toBeUndefined();
      else expect(error).toMatchObject({ name: "CrossOrigin", status: 403 });
      await visitor.visit(write("here", 1));
    }
    const client = new Visitor(target);
    client.bearer = (await target.sessions.start(client.request())).token;
    expect((await client.visit(() => {}, { method, headers })).error).toBeUndefined();
  });

  test("S17: behind a trusted proxy the host is the one that the client asked for", async () => {
    const visitor = new Visitor(await app({ trustProxy: 1 }));
    const headers = { host: "inner:3000", "x-forwarded-host": "app.example", origin: "https://app.example" };
    expect((await visitor.visit(() => {}, { method: "POST", headers })).error).toBeUndefined();
  });
});

describe("data", () => {
  const PROTO = "__proto__";
  const cycle: Record<string, unknown> = {};
  cycle.self = { again: [cycle] };
  const deep = JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) as unknown;
  const unfit: [string, unknown, string][] = [
    ["a function", { f: () => {} }, "data.value.f is a function"],
    ["a symbol", Symbol("s"), "data.value is a symbol"],
    ["a BigInt", [1n], "data.value[0] is a bigint"],
    ["NaN", { a: { "b c": Number.NaN } }, 'data.value.a["b c"] is NaN'],
    ["Infinity", Number.POSITIVE_INFINITY, "data.value is Infinity"],
    ["undefined in an array", [1, undefined], "data.value[1] is undefined"],
    ["a hole in an array", new Array(2), "data.value[0] is undefined"],
    ["a cycle", cycle, "data.value.self.again[0] contains itself"],
    ["a Map", new Map(), "data.value is an instance of Map"],
    ["a class", new (class Cart {})(), "data.value is an instance of Cart"],
    ["too deep", deep, "is nested deeper than 100 levels"],
  ];
  test.each(unfit)(
    "S9: %s is a TypeError that names the path, and nothing of the request is saved",
    async (_, value, message) => {
      const target = await app();
      const visitor = new Visitor(target);
      await visitor.visit(write("here", 1));
      const answer = await visitor.visit((session) => {
        dataOf(session).other = 2;
        dataOf(session).value = value;
      });
      expect(answer.error).toBeInstanceOf(TypeError);
      expect(String(answer.error)).toContain(message);
      expect((await visitor.visit((session) => ({ ...dataOf(session) }))).result).toEqual({ here: 1 });
    },
  );

  test("S9: what can't be stored is noticed in data that was there before, too", async () => {
    const visitor = new Visitor(await app());
    await visitor.visit(write("list", { items: [null] }));
    for (const bad of [Number.NaN, undefined, () => {}]) {
      const answer = await visitor.visit((session) => {
        (dataOf(session).list as { items: unknown[] }).items[0] = bad;
      });
      expect(answer.error).toBeInstanceOf(TypeError);
    }
  });

  test("S9: toJSON is honoured; undefined properties are left out, as JSON does", async () => {
    const visitor = new Visitor(await app());
    await visitor.visit(write("value", { when: new Date(0), none: undefined }));
    const { result } = await visitor.visit((session) => dataOf(session).value);
    expect(result).toEqual({ when: "1970-01-01T00:00:00.000Z" });
  });

  test("S9: no prototype is polluted by any key", async () => {
    const visitor = new Visitor(await app());
    await visitor.visit((session) => {
      dataOf(session)[PROTO] = { polluted: true };
      dataOf(session)["constructor" as string] = { prototype: { polluted: true } };
    });
    await visitor.visit((session) =>
      session.update((data) => Object.assign(data, JSON.parse('{"__proto__":{"polluted":2}}'))),
    );
    const { result } = await visitor.visit((session) => dataOf(session)[PROTO]);
    expect(result).toEqual({ polluted: 2 });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("events and faults", () => {
  test("S19: every event is told, none holds a secret, and a hook that throws breaks nothing", async () => {
    const target = await app();
    const visitor = new Visitor(target);
    const secrets: string[] = [];
    const remember = () =>
      secrets.push(
        Buffer.from(visitor.token ?? "", "base64url")
          .subarray(16)
          .toString("base64url")
          .slice(1, -1),
      );
    await visitor.visit(write("here", 1));
    remember();
    await visitor.visit((session) => session.signIn("ann"));
    remember();
    await visitor.visit((session) => session.destroy());
    expect(target.events.map(({ type }) => type)).toEqual(["created", "renewed", "ended"]);
    const told = JSON.stringify(target.events);
    for (const secret of secrets) expect(told).not.toContain(secret);
  });

  test("F1: a store that hangs is 503 within storeTimeout, told once; when it answers again that is told too", async () => {
    const target = await app({ storeTimeout: 50 });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const { read } = target.driver;
    target.driver.read = () => new Promise(() => {});
    for (let count = 0; count < 2; count++) {
      const { error } = await visitor.visit(() => {});
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error).toMatchObject({ status: 503 });
    }
    expect((await new Visitor(target).visit(() => "served")).result).toBe("served");
    target.driver.read = read;
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
    const told = target.events.map(({ type }) => type).filter((type) => type.startsWith("store"));
    expect(told).toEqual(["storeDown", "storeUp"]);
  });

  test("F1: updates that wait in line for a store that hangs don't wait one after the other", async () => {
    const target = await app({ storeTimeout: 200 });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const gate = Promise.withResolvers<void>();
    let inside = 0;
    target.driver.change = () => new Promise(() => {});
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        new Visitor(target, visitor.token).visit(async (session) => {
          if (++inside === 20) gate.resolve();
          await gate.promise;
          await session.update((data) => void Object.assign(data, { visits: 1 }));
        }),
      ),
    );
    const downs = answers.filter(({ error }) => error instanceof StoreUnavailable);
    expect(downs).toHaveLength(20);
    expect(downs.filter(({ error }) => String(error).includes("did not answer"))).toHaveLength(1);
  });

  test("F3: ready waits for a store that comes late, with a message for every try, and gives up in time", async () => {
    const target = await app();
    const lines: string[] = [];
    let tries = 0;
    target.driver.setup = async () => {
      if (++tries < 3) throw new StoreUnavailable("PostgreSQL at db:5432: connection refused");
    };
    await target.sessions.ready("auto", 10, (line) => lines.push(line));
    expect(lines).toEqual(Array(2).fill("PostgreSQL at db:5432: connection refused. Trying again …"));
    target.driver.setup = async () => {
      throw new StoreUnavailable("still down");
    };
    await expect(target.sessions.ready("auto", 0, () => {})).rejects.toThrow("still down");
  });
});

test("S20: sessions.open finds the session of an upgraded connection, and what it saves is there for requests", async () => {
  const target = await app();
  const visitor = new Visitor(target);
  await visitor.visit(write("here", 1));
  const session = await target.sessions.open(visitor.request({ headers: { upgrade: "websocket" } }));
  dataOf(session).socket = 2;
  await session.save();
  expect((await visitor.visit((session) => ({ ...dataOf(session) }))).result).toEqual({ here: 1, socket: 2 });
  expect(NodeRequest.prototype).toHaveProperty("header");
});

function mutated(token: string): fc.Arbitrary<string> {
  return fc.tuple(fc.nat(63), fc.string({ unit: "binary", minLength: 1, maxLength: 2 })).map(([at, other]) => {
    return token.slice(0, at) + other + token.slice(at + 1);
  });
}
