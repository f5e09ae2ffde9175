// The cookie and its token: attributes, when it is set, when it is not, what an unknown one does.
// Change it with the defaults of the cookie settings.

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type Cookie, clears, type HttpResponse, parseSetCookie } from "../client.ts";
import {
  expectError,
  expectStatus,
  guest,
  sessionOf,
  signedIn,
  signIn,
  someone,
  type Target,
  token,
  visitor,
} from "./visitors.ts";

export function cookieTests(target: Target): void {
  test("S4: the cookie is named session, HttpOnly, SameSite=Lax, at path / and lives as long as the session", async () => {
    const cookie = sessionCookie(await visitor(target).set("a", 1));
    const { attributes } = cookie;
    expect(cookie.name).toBe("session");
    expect(cookie.value).toMatch(/^[\w-]{64}$/);
    expect(attributes.has("httponly")).toBe(true);
    expect(attributes.get("samesite")?.toLowerCase()).toBe("lax");
    expect(attributes.get("path")).toBe("/");
    expect(Number(attributes.get("max-age"))).toBeGreaterThanOrEqual(86_390);
    expect(Number(attributes.get("max-age"))).toBeLessThanOrEqual(86_400);
    expect(attributes.has("domain")).toBe(false);
    expect(attributes.has("secure"), "over plain HTTP in development").toBe(false);
  });

  test("S4: the cookie is set once, not again by reads or writes", async () => {
    const client = await guest(target);
    const responses = [
      await client.get("/session"),
      await client.get("/"),
      await client.set("again", 1),
      await client.get("/cart"),
      await client.delete("/session/data/again"),
      await client.get("/nothing"),
    ];
    expect(responses.flatMap((response) => response.setCookies)).toEqual([]);
  });

  test("S4, S14: ending the session clears the cookie with the attributes that it was set with", async () => {
    for (const end of ["DELETE /session", "POST /logout"] as const) {
      const [method = "", path = ""] = end.split(" ");
      const client = visitor(target);
      const set = sessionCookie(await client.set("a", 1));
      const cleared = sessionCookie(await client.send(method, path));
      expect(clears(cleared), `${end} makes the browser forget it`).toBe(true);
      const kept = (cookie: Cookie) =>
        [...cookie.attributes].filter(([name]) => !["max-age", "expires"].includes(name)).sort();
      expect(kept(cleared)).toEqual(kept(set));
    }
  });

  test("S5: visits, reads, health checks and errors set no cookie and start no session", async () => {
    const client = visitor(target);
    for (const path of [
      "/",
      "/session",
      "/cart",
      "/health",
      "/health/live",
      "/sessions",
      "/nothing",
      "/style.css",
      "/robots.txt",
    ]) {
      for (const method of ["GET", "HEAD"])
        expect((await client.send(method, path)).setCookies, `${method} ${path}`).toEqual([]);
    }
    expect((await client.delete("/session/data/none")).setCookies).toEqual([]);
    expect(
      (await client.delete("/session")).setCookies.map(parseSetCookie).filter((cookie) => !clears(cookie)),
    ).toEqual([]);
    expectError(await client.delete("/sessions"), 401);
  });

  test("S3: malformed, unknown and wrong-secret tokens mean no session, are not adopted and not cleared", async () => {
    const real = token(await guest(target)) ?? "";
    const bytes = Buffer.from(real, "base64url");
    const wrongSecret = Buffer.concat([bytes.subarray(0, 16), randomBytes(32)]).toString("base64url");
    const wrongId = Buffer.concat([randomBytes(16), bytes.subarray(16)]).toString("base64url");
    const stale = [
      randomBytes(48).toString("base64url"),
      wrongSecret,
      wrongId,
      real.slice(0, 63),
      `${real}A`,
      real.slice(0, 22),
      `${real.slice(0, 63)}=`,
      `${real.slice(0, 62)}+/`,
      real.toLowerCase(),
      real.toUpperCase(),
      "",
      "undefined",
      "null",
      "[object Object]",
      "%",
      "a".repeat(64),
      "../../etc/passwd",
      "' OR 1=1 --",
      '{"$ne":null}',
    ];
    for (const value of stale) {
      const client = visitor(target, { cookie: `session=${value}` });
      const looked = await client.get("/session");
      expectError(looked, 404);
      expect(looked.setCookies, `${value} is left alone`).toEqual([]);
      expectStatus(await client.get("/"), 200);
      expectError(await client.get("/sessions"), 401);
    }
    expect(await sessionOf(target, real)).toMatchObject({ data: { guest: true } });
  });

  test("S3: a write with an unknown token starts a session with a token of its own", async () => {
    const unknown = randomBytes(48).toString("base64url");
    const client = visitor(target, { cookie: `session=${unknown}` });
    const started = await client.set("a", 1);
    expectStatus(started, 200);
    const { value } = sessionCookie(started);
    expect(value).not.toBe(unknown);
    expect(Buffer.from(value, "base64url").subarray(0, 16)).not.toEqual(
      Buffer.from(unknown, "base64url").subarray(0, 16),
    );
    expect(await sessionOf(target, unknown)).toBeUndefined();
    expect(await sessionOf(target, value)).toMatchObject({ data: { a: 1 } });
  });

  test("S2, S3: of several session cookies the first that is one counts, as browsers send that of the longest path first", async () => {
    const [first, second] = [await guest(target), await guest(target)];
    await first.set("who", "first");
    const cookie = `session=${token(first)}; session=${token(second)}`;
    expect((await visitor(target, { cookie }).get("/session")).json.data.who).toBe("first");
    const strangers = ["garbage", randomBytes(48).toString("base64url")].map((text) => `session=${text}`);
    const behind = visitor(target, { cookie: `${strangers.join("; ")}; session=${token(first)}` });
    expect((await behind.get("/session")).json.data.who).toBe("first");
    expectError(await visitor(target, { cookie: strangers.join("; ") }).get("/session"), 404);
    expect(await sessionOf(target, token(second))).toMatchObject({ data: { guest: true } });
  });

  test("S3: one character of the token changed opens nothing, wherever it is", async () => {
    const real = token(await guest(target)) ?? "";
    for (let position = 0; position < 64; position++) {
      const other = real[position] === "A" ? "B" : "A";
      expect(
        await sessionOf(target, real.slice(0, position) + other + real.slice(position + 1)),
        `position ${position}`,
      ).toBeUndefined();
    }
    expect(await sessionOf(target, real)).toBeDefined();
  });

  test("S1: the secret is in no response but the one that hands it over", async () => {
    const client = visitor(target);
    const userid = someone();
    await client.set("a", 1);
    await signIn(client, userid);
    const secret = token(client)?.slice(22) ?? "";
    expect(secret).toHaveLength(42);
    for (const path of ["/", "/session", "/sessions", "/cart", "/nothing"]) {
      const response = await client.get(path);
      expect(response.text + JSON.stringify(response.headers), path).not.toContain(secret);
    }
  });

  test("S1: tokens don't repeat and share nothing that could be guessed", async () => {
    const tokens: string[] = [];
    for (let count = 0; count < 50; count++) tokens.push(token(await guest(target)) ?? "");
    expect(new Set(tokens).size).toBe(50);
    for (let position = 0; position < 64; position++)
      expect(new Set(tokens.map((text) => text[position])).size).toBeGreaterThan(8);
  });

  test("S4: other cookies of the request are left alone and don't disturb", async () => {
    const client = await guest(target);
    const value = token(client);
    for (const cookie of [
      `a=1; session=${value}; b=2`,
      `theme="dark"; session=${value}`,
      `sessions=x; session=${value}; xsession=y`,
      `=; ; session=${value};`,
      `a=%zz; session=${value}`,
      `session=${value}; __Host-session=x`,
    ]) {
      const response = await visitor(target, { cookie }).get("/session");
      expectStatus(response, 200);
      expect(response.setCookies).toEqual([]);
    }
  });

  test("S23: a response with the cookie is not stored, one from a session is private, and both vary by cookie", async () => {
    const client = visitor(target);
    const writing = await client.set("a", 1);
    expect(writing.headers["cache-control"]).toMatch(/\bno-store\b/);
    expect(writing.headers.vary).toMatch(/\bcookie\b/i);
    for (const path of ["/session", "/", "/cart"]) {
      const response = await client.get(path);
      expect(response.headers["cache-control"], path).toMatch(/\b(private|no-store)\b/);
      expect(response.headers["cache-control"], path).not.toMatch(/\bpublic\b/);
      expect(response.headers.vary, path).toMatch(/\bcookie\b/i);
    }
    for (const response of [await (await signedIn(target, someone())).get("/sessions"), await client.post("/logout")]) {
      expect(response.headers["cache-control"]).toMatch(/\b(private|no-store)\b/);
      expect(response.headers.vary).toMatch(/\bcookie\b/i);
    }
  });

  test("S14 S23: the page is not stored anywhere, and signing out clears what is", async () => {
    const client = await signedIn(target, someone());
    expect((await client.get("/")).headers["cache-control"]).toBe("no-store");
    for (const init of [{}, { form: {} }]) {
      const response = await (await signedIn(target, someone())).post("/logout", init);
      expect(response.headers["clear-site-data"]).toBe('"cache"');
    }
  });

  test("S23: what a visitor without a session is shown may not be shown to one who has a session", async () => {
    for (const path of ["/", "/session", "/cart"]) {
      const response = await visitor(target).get(path);
      expect(response.headers["cache-control"] ?? "", path).not.toMatch(/\bpublic\b|\bs-maxage\b/);
      expect(response.headers.vary, path).toMatch(/\bcookie\b/i);
    }
  });
}

/** The one Set-Cookie of a response. */
function sessionCookie(response: HttpResponse): Cookie {
  expect(response.setCookies, `${response.status} ${response.text.slice(0, 200)}`).toHaveLength(1);
  return parseSetCookie(response.setCookies[0] ?? "");
}
