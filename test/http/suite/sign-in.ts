// Signing in and out: a new secret each time, the old one dead at once, data kept, nothing revived.
// Change it with what a sign-in does to a session.

import { expect, test } from "vitest";
import { clears, type HttpResponse, type OpenRequest, parseSetCookie } from "../client.ts";
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

export function signInTests(target: Target): void {
  test("S13: signing in gives a new token, ends the old one and keeps id and data", async () => {
    const client = await guest(target);
    await client.set("basket", ["tea"]);
    await client.post("/cart", { json: { sku: "tea", quantity: 2 } });
    const before = (await client.get("/session")).json;
    const old = token(client);
    const userid = someone();
    const response = await signIn(client, userid);
    expect(response.setCookies).toHaveLength(1);
    expect(token(client)).toMatch(/^[\w-]{64}$/);
    expect(token(client)).not.toBe(old);
    expect(await sessionOf(target, old), "the old token").toBeUndefined();
    const after = (await client.get("/session")).json;
    expect(after).toMatchObject({ id: before.id, userid, created: before.created, data: before.data });
  });

  test("S13, S22: signing in again as the same user renews the secret too", async () => {
    const userid = someone();
    const client = await signedIn(target, userid);
    await client.set("kept", 1);
    const seen = new Set([token(client)]);
    for (let round = 0; round < 3; round++) {
      const old = token(client);
      await signIn(client, userid);
      expect(await sessionOf(target, old)).toBeUndefined();
      seen.add(token(client));
    }
    expect(seen.size).toBe(4);
    expect((await client.get("/session")).json).toMatchObject({ userid, data: { kept: 1 } });
    expect((await client.get("/sessions")).json).toHaveLength(1);
  });

  test("S13: signing in as somebody else moves the session from one user's list to the other's, without the data", async () => {
    const [first, second] = [someone("first"), someone("second")];
    const client = await signedIn(target, first);
    await client.set("card", "the first one's");
    const old = token(client);
    await signIn(client, second);
    expect((await client.get("/session")).json.data, "nothing of the first one's is left").toEqual({});
    expect(await sessionOf(target, old)).toBeUndefined();
    expect((await client.get("/sessions")).json).toHaveLength(1);
    expect((await (await signedIn(target, first)).get("/sessions")).json, "only the new one").toHaveLength(1);
  });

  test("S13: a failed sign-in renews nothing and signs nobody out", async () => {
    const userid = someone();
    const client = await signedIn(target, userid);
    const before = token(client);
    expectError(await client.post("/login", { json: { userid, password: "wrong" } }), 401);
    expect(token(client)).toBe(before);
    expect((await client.get("/session")).json.userid).toBe(userid);
  });

  test("S13: a planted token is worth nothing after the victim signs in", async () => {
    const attacker = await guest(target);
    const planted = token(attacker);
    const victim = visitor(target);
    victim.cookies.set("session", planted ?? "");
    await signIn(victim, someone());
    expectError(await attacker.get("/session"), 404);
    expectError(await attacker.get("/sessions"), 401);
    expect((await victim.get("/session")).status).toBe(200);
  });

  test("S13: writes in flight while signing in are kept, or begin a session of their own, never vanish", async () => {
    for (let round = 0; round < 5; round++) {
      const client = await guest(target);
      const writer = visitor(target, { cookie: `session=${token(client)}` });
      const writes = Array.from({ length: 20 }, (_, index) => writer.set(`w${index}`, index));
      const [responses] = await Promise.all([Promise.all(writes), signIn(client, someone())]);
      const { data } = (await client.get("/session")).json;
      for (const [index, response] of responses.entries()) {
        expectStatus(response, 200);
        const own = response.setCookies.map(parseSetCookie).find((cookie) => !clears(cookie))?.value;
        const holder = own === undefined ? data : (await sessionOf(target, own)).data;
        expect(holder[`w${index}`], `write ${index} of round ${round}`).toBe(index);
      }
    }
  });

  test("S13: a slow write that began before the sign-in is kept, or begins a session of its own", async () => {
    const client = await guest(target);
    const slow = visitor(target, { cookie: `session=${token(client)}` });
    const write = slow.begin("PUT", "/session/data/slow", { headers: { expect: "100-continue" } });
    await write.handled;
    await signIn(client, someone());
    const response = await write.finish('{"value":1}');
    expectStatus(response, 200);
    const holder = token(slow) === undefined ? client : slow;
    expect((await holder.get("/session")).json.data.slow).toBe(1);
  });

  test("S13: after parallel sign-ins in one browser the cookie that it was given last works", async () => {
    for (let round = 0; round < 5; round++) {
      const client = await guest(target);
      const userid = someone();
      const body = JSON.stringify({ userid, password: "demo" });
      const headers = { expect: "100-continue", "content-length": String(body.length) };
      const logins = Array.from({ length: 5 }, () => client.begin("POST", "/login", { headers }));
      // All of them have found the guest's session before the first one renews it.
      await Promise.all(logins.map(({ handled }) => handled));
      const responses = await Promise.all(logins.map(({ finish }) => finish(body)));
      for (const response of responses) {
        expectStatus(response, 200);
        expect(response.setCookies).toHaveLength(1);
      }
      expect((await client.get("/session")).json).toMatchObject({ userid });
    }
  });

  test("S14: after signing out the token is dead for every request, and the cookie gone", async () => {
    const client = await signedIn(target, someone());
    const old = token(client) ?? "";
    expectStatus(await client.post("/logout"), 204);
    expect(client.cookies.has("session")).toBe(false);
    const revenant = visitor(target, { cookie: `session=${old}` });
    expectError(await revenant.get("/session"), 404);
    expectError(await revenant.get("/sessions"), 401);
    await revenant.set("a", 1);
    expect(token(revenant), "a write begins another session").not.toBe(old);
    expect(await sessionOf(target, old)).toBeUndefined();
  });

  test("S14: parallel writes don't bring a session back that was signed out meanwhile", async () => {
    for (let round = 0; round < 5; round++) {
      const userid = someone();
      const client = await signedIn(target, userid);
      const old = token(client);
      const writer = visitor(target, { cookie: `session=${old}` });
      const writes = Array.from({ length: 10 }, (_, index) =>
        writer.begin("PUT", `/session/data/w${index}`, { headers: { expect: "100-continue" } }),
      );
      await Promise.all(writes.map(({ handled }) => handled));
      // Half of them race with the end of the session, the other half comes after it.
      const finish = ({ finish }: OpenRequest) => finish('{"value":1}');
      const racing = writes.slice(0, 5).map(finish);
      expectStatus(await client.post("/logout"), 204);
      for (const response of await Promise.all([...racing, ...writes.slice(5).map(finish)])) {
        await expectNothingRevived(target, response);
      }
      expect(await sessionOf(target, old)).toBeUndefined();
      expect((await (await signedIn(target, userid)).get("/sessions")).json, "only the new sign-in").toHaveLength(1);
    }
  });

  test("S14: a slow write doesn't bring a session back that ended while its body was on the way", async () => {
    for (const [method, path] of [
      ["POST", "/logout"],
      ["DELETE", "/session"],
    ] as const) {
      const userid = someone();
      const client = await signedIn(target, userid);
      const old = token(client);
      const slow = visitor(target, { cookie: `session=${old}` });
      const write = slow.begin("PUT", "/session/data/slow", { headers: { expect: "100-continue" } });
      await write.handled;
      expectStatus(await client.send(method, path), 204);
      await expectNothingRevived(target, await write.finish('{"value":1}'));
      expect(await sessionOf(target, old)).toBeUndefined();
      expect((await (await signedIn(target, userid)).get("/sessions")).json).toHaveLength(1);
    }
  });

  test("S14: signing out ends this session only", async () => {
    const userid = someone();
    const [here, there] = [await signedIn(target, userid), await signedIn(target, userid)];
    expectStatus(await here.post("/logout"), 204);
    expect((await there.get("/session")).json.userid).toBe(userid);
    expect((await there.get("/sessions")).json).toHaveLength(1);
  });

  test("S13: odd user names are taken as they are", async () => {
    const names = [
      "a b",
      "a.b@c.d",
      "O'Brien",
      '"quoted"',
      "$ne",
      "{}",
      "%",
      "a/b",
      "__proto__",
      "constructor",
      "ünï",
      "日本",
      "👩‍👩‍👧",
      "<b>x</b>",
      "1; DROP TABLE sessions",
      "null",
      "0",
    ];
    for (const name of names) {
      const userid = `${name} ${someone()}`;
      const client = await signedIn(target, userid);
      expect((await client.get("/session")).json.userid).toBe(userid);
      expect((await client.get("/sessions")).json).toHaveLength(1);
    }
  });

  test("S13: user names that differ only in case, accents or a blank are different users", async () => {
    const name = someone("Zoë");
    const names = [
      name,
      name.toUpperCase(),
      name.toLowerCase(),
      name.replace("ë", "e"),
      name.normalize("NFD"),
      `${name} `,
      ` ${name}`,
    ];
    const clients = [];
    for (const userid of names) clients.push(await signedIn(target, userid));
    for (const [index, client] of clients.entries()) {
      expect((await client.get("/session")).json.userid).toBe(names[index]);
      expect((await client.get("/sessions")).json, names[index]).toHaveLength(1);
    }
  });
}

/** A write to a session that ends: served, and either dropped or kept in a session of its own, where nobody is signed in. */
async function expectNothingRevived(target: Target, response: HttpResponse): Promise<void> {
  expectStatus(response, 200);
  for (const cookie of response.setCookies.map(parseSetCookie).filter((cookie) => !clears(cookie))) {
    expect(await sessionOf(target, cookie.value)).toMatchObject({ userid: null });
  }
}
