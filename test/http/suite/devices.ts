// A user's sessions on several devices: seen, ended one by one or all but this one, never another user's.
// Change it with the /sessions handlers.

import { expect, test } from "vitest";
import {
  expectError,
  expectStatus,
  guest,
  sessionOf,
  signedIn,
  someone,
  type Target,
  token,
  visitor,
} from "./visitors.ts";

export function deviceTests(target: Target): void {
  test("S15: GET /sessions lists the user's sessions, marks this one and shows no secret", async () => {
    const userid = someone();
    const phone = await signedIn(target, userid, { "user-agent": "phone/1" });
    const laptop = await signedIn(target, userid, { "user-agent": "laptop/2" });
    await signedIn(target, someone());
    await guest(target);
    const response = await phone.get("/sessions");
    expectStatus(response, 200);
    expect(response.json).toHaveLength(2);
    const ids = await Promise.all([phone, laptop].map(async (client) => (await client.get("/session")).json.id));
    for (const item of response.json) {
      expect(Object.keys(item).sort()).toEqual(["created", "current", "id", "ipaddress", "updated", "useragent"]);
      expect(ids).toContain(item.id);
      expect(Number.isInteger(item.created) && Number.isInteger(item.updated)).toBe(true);
      expect(["127.0.0.1", "::1"]).toContain(item.ipaddress);
      expect(item.current).toBe(item.id === ids[0]);
      expect(item.useragent).toBe(item.id === ids[0] ? "phone/1" : "laptop/2");
    }
    for (const client of [phone, laptop]) expect(response.text).not.toContain(token(client)?.slice(22));
  });

  test("S15: a listed id opens nothing, neither as cookie nor as Bearer", async () => {
    const client = await signedIn(target, someone());
    const { id } = (await client.get("/session")).json;
    for (const guess of [id, `${id}${"A".repeat(42)}`, `${id}${id}${id}`.slice(0, 64)]) {
      expect(await sessionOf(target, guess)).toBeUndefined();
      expectError(await visitor(target, { authorization: `Bearer ${guess}` }).get("/session"), 404);
    }
  });

  test("S15: DELETE /sessions/:id ends one of the user's own", async () => {
    const userid = someone();
    const [here, there] = [await signedIn(target, userid), await signedIn(target, userid)];
    const { id } = (await there.get("/session")).json;
    const response = await here.delete(`/sessions/${id}`);
    expectStatus(response, 204);
    expect(response.text).toBe("");
    expect(await sessionOf(target, token(there))).toBeUndefined();
    expectError(await there.get("/sessions"), 401);
    expect((await here.get("/sessions")).json).toHaveLength(1);
    expectError(await here.delete(`/sessions/${id}`), 404);
  });

  test("S15, S14: ending the current one by its id signs this browser out", async () => {
    const client = await signedIn(target, someone());
    const old = token(client);
    const { id } = (await client.get("/session")).json;
    expectStatus(await client.delete(`/sessions/${id}`), 204);
    expect(token(client), "its cookie is cleared").toBeUndefined();
    expect(await sessionOf(target, old)).toBeUndefined();
  });

  test("S15: someone else's id, a guest's, an unknown and a malformed one are all 404, and nothing ends", async () => {
    const mine = await signedIn(target, someone());
    const theirs = await signedIn(target, someone());
    const anonymous = await guest(target);
    const ids = [
      (await theirs.get("/session")).json.id,
      (await anonymous.get("/session")).json.id,
      "A".repeat(22),
      "x",
      "A".repeat(300),
      "%00",
      "%27",
      "..%2F",
      "*",
      "__proto__",
    ];
    const responses = [];
    for (const id of ids) responses.push(await mine.delete(`/sessions/${id}`));
    for (const response of responses) expectError(response, 404);
    expect(new Set(responses.slice(0, 3).map((response) => response.text)).size, "no hint whether it exists").toBe(1);
    for (const client of [mine, theirs, anonymous]) expectStatus(await client.get("/session"), 200);
  });

  test("S15: DELETE /sessions ends all others of this user and says how many", async () => {
    const userid = someone();
    const other = await signedIn(target, someone());
    const clients = await Promise.all(Array.from({ length: 5 }, () => signedIn(target, userid)));
    const [here, ...others] = clients;
    const response = await here!.delete("/sessions");
    expectStatus(response, 200);
    expect(response.json).toEqual({ ended: 4 });
    for (const client of others) expect(await sessionOf(target, token(client))).toBeUndefined();
    expect((await here!.get("/sessions")).json).toHaveLength(1);
    expectStatus(await other.get("/session"), 200);
    expect((await here!.delete("/sessions")).json).toEqual({ ended: 0 });
  });

  test("S15: without being signed in, 401 for each, with a session or without", async () => {
    for (const client of [visitor(target), await guest(target)]) {
      const { id } = (await (await signedIn(target, someone())).get("/session")).json;
      expectError(await client.get("/sessions"), 401);
      expectError(await client.delete("/sessions"), 401);
      expectError(await client.delete(`/sessions/${id}`), 401);
    }
  });

  test("S15: a session that ended is not listed any more, however it ended", async () => {
    const userid = someone();
    const watcher = await signedIn(target, userid);
    const count = async () => (await watcher.get("/sessions")).json.length;
    const ways = [
      ["POST", "/logout"],
      ["DELETE", "/session"],
    ] as const;
    for (const [method, path] of ways) {
      const client = await signedIn(target, userid);
      expect(await count()).toBe(2);
      expectStatus(await client.send(method, path), 204);
      expect(await count()).toBe(1);
    }
  });

  test("S15: parallel endings of one session end it, and none of them fails", async () => {
    const userid = someone();
    const [here, there] = [await signedIn(target, userid), await signedIn(target, userid)];
    const { id } = (await there.get("/session")).json;
    const responses = await Promise.all(Array.from({ length: 8 }, () => here.delete(`/sessions/${id}`)));
    for (const response of responses) expectStatus(response, 204, 404);
    expect(responses.map((response) => response.status)).toContain(204);
    expect(await sessionOf(target, token(there))).toBeUndefined();
  });

  test("S15: a user agent is kept to 512 characters", async () => {
    const client = await guest(target, { "user-agent": `long ${"x".repeat(2_000)}` });
    const { useragent } = (await client.get("/session")).json;
    expect(useragent).toBe(`long ${"x".repeat(507)}`);
  });
}
