// Each request of the example as a JSON client sees it: status, shape of the body, headers.
// Change it with the example handlers; how they behave under stress is tested in the other parts.

import { expect, test } from "vitest";
import {
  expectError,
  expectStatus,
  guest,
  program,
  signedIn,
  signIn,
  someone,
  type Target,
  token,
  visitor,
} from "./visitors.ts";

const ID = /^[\w-]{22}$/;

export function exampleTests(target: Target): void {
  test("section 5: GET / is an HTML page with and without a session", async () => {
    for (const client of [visitor(target), await guest(target), await signedIn(target, someone())]) {
      const page = await client.get("/");
      expectStatus(page, 200);
      expect(page.headers["content-type"]).toMatch(/^text\/html; ?charset=utf-8$/i);
      expect(page.text).toMatch(/^<!doctype html>/i);
    }
  });

  test("section 5: GET /session is 404 {error} without a session", async () => {
    expectError(await visitor(target).get("/session"), 404);
  });

  test("section 5: GET /session has exactly the session's public properties", async () => {
    const before = Math.floor(Date.now() / 1000);
    const client = await guest(target, { "user-agent": "suite/1.0" });
    const response = await client.get("/session");
    expectStatus(response, 200);
    expect(response.headers["content-type"]).toMatch(/^application\/json/);
    const { id, userid, created, updated, idle, ipaddress, useragent, data } = response.json;
    expect(Object.keys(response.json).sort()).toEqual([
      "created",
      "data",
      "id",
      "idle",
      "ipaddress",
      "updated",
      "useragent",
      "userid",
    ]);
    expect(id).toMatch(ID);
    expect(userid).toBeNull();
    for (const time of [created, updated]) {
      expect(Number.isInteger(time)).toBe(true);
      expect(time).toBeGreaterThanOrEqual(before - 1);
      expect(time).toBeLessThanOrEqual(Math.floor(Date.now() / 1000) + 1);
    }
    expect(updated).toBeGreaterThanOrEqual(created);
    expect(idle).toBe(86_400);
    expect(["127.0.0.1", "::1"]).toContain(ipaddress);
    expect(useragent).toBe("suite/1.0");
    expect(data).toEqual({ guest: true });
  });

  test("section 5, S1: POST /session is 201 {token, id} without a cookie, and the id is the token's first 16 bytes", async () => {
    const response = await visitor(target).post("/session");
    expectStatus(response, 201);
    expect(Object.keys(response.json).sort()).toEqual(["id", "token"]);
    expect(response.json.token).toMatch(/^[\w-]{64}$/);
    expect(response.json.id).toBe(Buffer.from(response.json.token, "base64url").subarray(0, 16).toString("base64url"));
    expect(response.setCookies).toEqual([]);
  });

  test("section 5: PUT /session/data/:key is 200 {data} with all of the data", async () => {
    const client = visitor(target);
    const first = await client.set("theme", "dark");
    expectStatus(first, 200);
    expect(first.json).toEqual({ data: { theme: "dark" } });
    const second = await client.set("list", [1, { two: null }]);
    expect(second.json).toEqual({ data: { theme: "dark", list: [1, { two: null }] } });
    expect((await client.set("theme", null)).json).toEqual({ data: { theme: null, list: [1, { two: null }] } });
  });

  test("section 5: DELETE /session/data/:key is 200 {data}, also where there is no such key", async () => {
    const client = await guest(target);
    await client.set("gone", 1);
    const response = await client.delete("/session/data/gone");
    expectStatus(response, 200);
    expect(response.json).toEqual({ data: { guest: true } });
    const again = await client.delete("/session/data/gone");
    expectStatus(again, 200);
    expect(again.json).toEqual({ data: { guest: true } });
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  test("section 5, S14: DELETE /session is 204 and the session is gone", async () => {
    const client = await guest(target);
    const old = token(client);
    const response = await client.delete("/session");
    expectStatus(response, 204);
    expect(response.text).toBe("");
    expect(token(client)).toBeUndefined();
    expectError(await visitor(target, { cookie: `session=${old}` }).get("/session"), 404);
  });

  test("section 5: POST /login is 200 {userid}, 401 {error} for a wrong password", async () => {
    const userid = someone();
    const client = visitor(target);
    expectError(await client.post("/login", { json: { userid, password: "wrong" } }), 401);
    expect(token(client)).toBeUndefined();
    expect((await signIn(client, userid)).json).toEqual({ userid });
    expect((await client.get("/session")).json.userid).toBe(userid);
  });

  test("section 5: a wrong password leaves an existing session as it was", async () => {
    const client = await guest(target);
    const before = token(client);
    expectError(await client.post("/login", { json: { userid: someone(), password: "wrong" } }), 401);
    expect(token(client)).toBe(before);
    expect((await client.get("/session")).json.userid).toBeNull();
  });

  test("section 5, S2: POST /login gives a Bearer client the new token and no cookie", async () => {
    const { client, token: old } = await program(target);
    const userid = someone();
    const response = await signIn(client, userid);
    expect(response.json).toEqual({ userid, token: expect.stringMatching(/^[\w-]{64}$/) });
    expect(response.json.token).not.toBe(old);
    expect(response.setCookies).toEqual([]);
    expectError(await client.get("/session"), 404);
    expect(
      (await visitor(target, { authorization: `Bearer ${response.json.token}` }).get("/session")).json.userid,
    ).toBe(userid);
  });

  test("section 5: POST /logout is 204 and the session is gone", async () => {
    const client = await signedIn(target, someone());
    const response = await client.post("/logout");
    expectStatus(response, 204);
    expect(response.text).toBe("");
    expectError(await client.get("/session"), 404);
  });

  test("section 5: POST /logout and DELETE /session without a session are 204 and start none", async () => {
    const client = visitor(target);
    for (const response of [await client.post("/logout"), await client.delete("/session")]) {
      expectStatus(response, 204);
      expect(token(client)).toBeUndefined();
    }
  });

  test("section 5: GET /cart is empty without a session; POST /cart adds to it", async () => {
    const client = visitor(target);
    const empty = await client.get("/cart");
    expectStatus(empty, 200);
    expect(empty.json).toEqual({ cart: {} });
    const add = (sku: string, quantity: number) => client.post("/cart", { json: { sku, quantity } });
    expect((await add("tea", 2)).json).toEqual({ cart: { tea: 2 } });
    expect((await add("cup", 1)).json).toEqual({ cart: { tea: 2, cup: 1 } });
    expect((await add("tea", 3)).json).toEqual({ cart: { tea: 5, cup: 1 } });
    expect((await add("tea", 0)).json, "0 takes it out").toEqual({ cart: { cup: 1 } });
    expect((await add("none", 0)).json).toEqual({ cart: { cup: 1 } });
    expect((await client.get("/cart")).json).toEqual({ cart: { cup: 1 } });
  });

  test("section 5: GET /health says that the store is up, GET /health/live that the process serves; neither starts a session", async () => {
    const client = visitor(target);
    const health = await client.get("/health");
    expectStatus(health, 200);
    expect(health.json).toEqual({ store: "up" });
    const live = await client.get("/health/live");
    expectStatus(live, 200);
    expect([...health.setCookies, ...live.setCookies]).toEqual([]);
  });
}
