// The cookie and the Bearer header, and what a response says of them.
// Uses the memory store: none of this may depend on a backend.
import { describe, expect, test } from "vitest";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { memoryApp } from "./memory.ts";
import { dataOf, Visitor, write } from "./visitor.ts";

describe("cookie and Bearer", () => {
  test("S2: a Bearer client gets no cookie, whatever it does", async () => {
    const target = await memoryApp();
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
    const target = await memoryApp({ start: "visit" });
    const visitor = new Visitor(target);
    await visitor.visit(() => {});
    const late = new Visitor(target, visitor.token);
    await visitor.visit((session) => session.signIn("ann"));
    expect((await late.visit((session) => session.exists)).setCookie).toEqual([]);
    expect((await target.driver.stats(target.now)).live).toBe(1);
  });

  test("S2: the cookie counts before the Bearer header", async () => {
    const target = await memoryApp();
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
    [
      { cookiePartitioned: true, cookieSameSite: "none" },
      true,
      "__Host-session=T; Max-Age=86400; Path=/; HttpOnly; Secure; Partitioned; SameSite=None",
    ],
    [{ cookiePartitioned: true }, false, "session=T; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax"],
    [{ cookiePersistent: false }, false, "session=T; Path=/; HttpOnly; SameSite=Lax"],
    [{ cookiePersistent: false, cookieSecure: true }, true, "__Host-session=T; Path=/; HttpOnly; Secure; SameSite=Lax"],
  ];
  test.each(flags)("S4: %j, HTTPS %s: %s", async (settings, isHttps, expected) => {
    const visitor = new Visitor(await memoryApp(settings));
    visitor.isHttps = isHttps;
    const answer = await visitor.visit(write("here", 1));
    expect(answer.setCookie).toEqual([expected.replace("=T;", `=${answer.session?.token};`)]);
    expect(answer.setCookie[0]?.length).toBeLessThan(4096);
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
  });

  test("S4: a cookie that ends with the browser is not sent again when the session's expiry moves", async () => {
    const target = await memoryApp({ cookiePersistent: false, idle: 1000 });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    target.now += 600;
    const touched = await visitor.visit((session) => session.updated);
    expect([touched.result, touched.setCookie]).toEqual([target.now, []]);
    expect((await visitor.visit((session) => session.renew())).setCookie).toEqual([
      expect.stringMatching(/^session=[\w-]{64}; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect((await visitor.visit((session) => session.destroy())).setCookie).toEqual([
      "session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    ]);
  });

  test("S4: a partitioned cookie is removed in its partition", async () => {
    const visitor = new Visitor(await memoryApp({ cookiePartitioned: true, cookieSameSite: "none" }));
    visitor.isHttps = true;
    await visitor.visit(write("here", 1));
    const { setCookie } = await visitor.visit((session) => session.destroy());
    expect(setCookie).toEqual(["__Host-session=; Max-Age=0; Path=/; HttpOnly; Secure; Partitioned; SameSite=None"]);
  });

  test("S4: behind a trusted proxy HTTPS is what the proxy says; a client's own claim counts for nothing", async () => {
    const visitor = new Visitor(await memoryApp({ trustProxy: ["10.0.0.0/8"] }));
    const headers = { "x-forwarded-proto": "https" };
    visitor.remoteAddress = "10.1.2.3";
    expect((await visitor.visit(write("here", 1), { headers })).setCookie[0]).toContain("Secure");
    const forger = new Visitor(await memoryApp({ trustProxy: ["10.0.0.0/8"] }));
    expect((await forger.visit(write("here", 1), { headers })).setCookie[0]).not.toContain("Secure");
  });

  test("S4: a Secure cookie over plain HTTP in production is warned of, once, naming what to set", async () => {
    const target = await memoryApp({ production: true });
    for (let count = 0; count < 3; count++) await new Visitor(target).visit(write("here", 1));
    const warnings = target.events.filter((event) => event.type === "warning");
    expect(warnings).toEqual([expect.objectContaining({ message: expect.stringContaining("SESSION_TRUST_PROXY") })]);
  });

  test("S23: no-store with a cookie, private where a session was read, nothing where none was", async () => {
    const target = await memoryApp();
    const visitor = new Visitor(target);
    const started = await visitor.visit(write("here", 1));
    expect(Object.fromEntries(started.headers)).toEqual({ "cache-control": "no-store", vary: "Cookie" });
    const read = await visitor.visit((session) => session.exists);
    expect(Object.fromEntries(read.headers)).toEqual({ "cache-control": "private", vary: "Cookie" });
    const requestSession = await target.sessions.begin(visitor.request());
    const headers = new Map<string, string>([["vary", "Accept"]]);
    const out = {
      get: (name: string) => headers.get(name),
      set: (name: string, value: string) => headers.set(name, value),
      remove: (name: string) => headers.delete(name),
      appendCookie() {},
    };
    await requestSession.complete(200, out);
    requestSession.writeHeaders(out);
    expect([...headers]).toEqual([["vary", "Accept"]]);
  });
});

test('S2 S5: with start "visit" a client that starts its own session by POST gets no second one', async () => {
  const target = await memoryApp({ start: "visit" });
  const client = new Visitor(target);
  const request = client.request({ method: "POST" });
  const { setCookie } = await client.visit(() => target.sessions.start(request), { method: "POST" });
  expect(setCookie).toEqual([]);
  expect((await target.driver.stats(target.now)).live).toBe(1);
});
