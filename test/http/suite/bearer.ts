// Tokens in the Authorization header: for programs, which get no cookie.
// Change it when a token may come from somewhere else.

import { expect, test } from "vitest";
import {
  expectError,
  expectStatus,
  guest,
  program,
  sessionOf,
  signIn,
  someone,
  type Target,
  token,
  visitor,
} from "./visitors.ts";

export function bearerTests(target: Target): void {
  test("S2: a Bearer client reads and writes its session and gets no cookie back", async () => {
    const { client, token: secret, id } = await program(target);
    const responses = [
      await client.get("/session"),
      await client.set("a", 1),
      await client.get("/"),
      await client.post("/cart", { json: { sku: "tea", quantity: 1 } }),
    ];
    for (const response of responses) {
      expectStatus(response, 200);
      expect(response.setCookies).toEqual([]);
    }
    expect((await client.get("/session")).json).toMatchObject({ id, data: { a: 1 } });
    const ended = await client.delete("/session");
    expectStatus(ended, 204);
    expect(ended.setCookies).toEqual([]);
    expect(await sessionOf(target, secret)).toBeUndefined();
  });

  test("S2: the scheme's letters may be of either case, and other schemes are no token", async () => {
    const { token: secret, id } = await program(target);
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      expect((await visitor(target, { authorization: `${scheme} ${secret}` }).get("/session")).json.id).toBe(id);
    }
    for (const authorization of [
      `Basic ${secret}`,
      `Token ${secret}`,
      secret,
      "Bearer",
      "Bearer ",
      `Bearer${secret}`,
      `Bearer "${secret}"`,
      `Bearer ${secret} ${secret}`,
      `Bearer ${secret},x`,
    ]) {
      expectError(await visitor(target, { authorization }).get("/session"), 404);
    }
  });

  test("S2: never from a URL, a body or another header", async () => {
    const { token: secret } = await program(target);
    const client = visitor(target, { "x-session": secret, "x-session-token": secret, token: secret, session: secret });
    for (const path of [
      `/session?token=${secret}`,
      `/session?session=${secret}`,
      `/session?access_token=${secret}`,
      `/session;session=${secret}`,
      `/session#${secret}`,
    ]) {
      expectStatus(await client.get(path), 404);
    }
    expectStatus(await client.get(`/session/${secret}`), 404, 405);
  });

  test("S2: the cookie comes first", async () => {
    const withCookie = await guest(target);
    await withCookie.set("whose", "cookie");
    const { client: withBearer, token: secret } = await program(target);
    await withBearer.set("whose", "bearer");
    const both = visitor(target, { cookie: `session=${token(withCookie)}`, authorization: `Bearer ${secret}` });
    expect((await both.get("/session")).json.data.whose).toBe("cookie");
  });

  test("S2, S3: a Bearer token without a session reads nothing, is not adopted, and its writes are 401", async () => {
    const unknown = Buffer.alloc(48, 7).toString("base64url");
    const { client: signedOut, token: ended } = await program(target);
    expectStatus(await signedOut.post("/logout"), 204);
    for (const secret of [unknown, ended]) {
      const client = visitor(target, { authorization: `Bearer ${secret}` });
      expectError(await client.get("/session"), 404);
      expectError(await client.get("/sessions"), 401);
      for (const written of [
        await client.set("a", 1),
        await client.post("/cart", { json: { sku: "tea", quantity: 1 } }),
        await client.post("/session/data", { form: { key: "a", value: "1" } }),
      ]) {
        expectError(written, 401);
        expect(written.headers["www-authenticate"]).toMatch(/^Bearer\b/);
        expect(written.setCookies).toEqual([]);
      }
      expect(await sessionOf(target, secret)).toBeUndefined();
    }
  });

  test("S2: a Bearer client whose session is gone may start another one, or sign in", async () => {
    const unknown = Buffer.alloc(48, 9).toString("base64url");
    const started = await visitor(target, { authorization: `Bearer ${unknown}` }).post("/session");
    expectStatus(started, 201);
    expect(await sessionOf(target, started.json.token)).toMatchObject({ id: started.json.id, userid: null });
    const userid = someone();
    const signedIn = await signIn(visitor(target, { authorization: `Bearer ${unknown}` }), userid);
    expect(signedIn.setCookies).toEqual([]);
    expect(await sessionOf(target, signedIn.json.token)).toMatchObject({ userid });
    expect(await sessionOf(target, unknown)).toBeUndefined();
  });

  test("S2: a Bearer value that isn't formed like a token is somebody else's: the request counts as one without", async () => {
    const own = token(await guest(target)) ?? "";
    for (const foreign of [
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
      "sk_live_51H8xkLJ2eZvKYlo2C",
      "a",
      `${own}A`,
      own.slice(1),
      `${own.slice(0, 63)}.`,
    ]) {
      const authorization = `Bearer ${foreign}`;
      expectError(await visitor(target, { authorization }).get("/session"), 404);
      const client = visitor(target, { authorization });
      expectStatus(await client.set("a", 1), 200);
      expect(await sessionOf(target, token(client)), "a session by cookie, as for anybody").toMatchObject({
        data: { a: 1 },
      });
      expect((await client.get("/session")).json.data).toEqual({ a: 1 });
      // Nor does it exempt from the check of origins.
      expectError(await client.set("a", 2, { headers: { origin: "https://evil.example" } }), 403);
    }
  });

  test("S2: a token from a cookie works as Bearer and the other way round", async () => {
    const client = await guest(target);
    expect((await visitor(target, { authorization: `Bearer ${token(client)}` }).get("/session")).json.data).toEqual({
      guest: true,
    });
    const { token: secret, id } = await program(target);
    expect(await sessionOf(target, secret)).toMatchObject({ id });
  });

  test("S2: a Bearer client without a session signs in and is handed a token", async () => {
    const userid = someone();
    const started = await visitor(target).post("/session");
    const client = visitor(target, { authorization: `Bearer ${started.json.token}` });
    const first = await signIn(client, userid);
    const again = await signIn(visitor(target, { authorization: `Bearer ${first.json.token}` }), userid);
    expect(new Set([started.json.token, first.json.token, again.json.token]).size, "each sign-in renews").toBe(3);
    expect(await sessionOf(target, first.json.token)).toBeUndefined();
    expect(await sessionOf(target, again.json.token)).toMatchObject({ userid, id: started.json.id });
  });
}
