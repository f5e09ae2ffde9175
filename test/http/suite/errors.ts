// Errors that a client's mistakes get: malformed input, wrong types, unknown paths, wrong methods, too much data.
// Change it when a handler takes another field.

import { expect, test } from "vitest";
import {
  expectError,
  expectNoInsides,
  expectStatus,
  guest,
  signedIn,
  someone,
  type Target,
  token,
  visitor,
} from "./visitors.ts";

const JSON_TYPE = { "content-type": "application/json" };

export function errorTests(target: Target): void {
  test("section 5: malformed JSON is 400 {error} and saves nothing", async () => {
    const client = await guest(target);
    for (const body of [
      "{",
      '{"value":',
      "{'value':1}",
      '{"value":1}}',
      "undefined",
      '{"value":NaN}',
      "\ufeff{",
      '{"value":"\u0000"}',
    ]) {
      expectError(await client.put("/session/data/broken", { body, headers: JSON_TYPE }), 400);
      expectError(await client.post("/cart", { body, headers: JSON_TYPE }), 400);
      expectError(await client.post("/login", { body, headers: JSON_TYPE }), 400);
    }
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
  });

  test("section 5: an empty body, where one is needed, is 400 or 422 {error}", async () => {
    const client = await guest(target);
    for (const headers of [JSON_TYPE, {}]) {
      expectError(await client.put("/session/data/empty", { body: "", headers }), 400, 422);
      expectError(await client.post("/cart", { body: "", headers }), 400, 422);
      expectError(await client.post("/login", { body: "", headers }), 400, 422);
    }
  });

  test("section 5: JSON of the wrong type is 422 {error} and saves nothing", async () => {
    const client = await guest(target);
    for (const json of [[], [1], "text", 1, true, null, {}, { Value: 1 }])
      expectError(await client.put("/session/data/wrong", { json }), 422);
    for (const json of [
      [],
      "text",
      null,
      {},
      { sku: "a" },
      { quantity: 1 },
      { sku: 1, quantity: 1 },
      { sku: "", quantity: 1 },
    ]) {
      expectError(await client.post("/cart", { json }), 422);
    }
    for (const quantity of [-1, 1.5, null, [1], { $inc: 1 }, true, 1e300, Number.MAX_SAFE_INTEGER + 1]) {
      expectError(await client.post("/cart", { json: { sku: "a", quantity } }), 422);
    }
    for (const userid of [1, null, [], ["a"], {}, { $ne: null }, true, ""]) {
      expectError(await client.post("/login", { json: { userid, password: "demo" } }), 422);
    }
    for (const password of [1, null, [], ["demo"], {}, { $ne: null }, true]) {
      expectError(await client.post("/login", { json: { userid: someone(), password } }), 422);
    }
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
    expect((await client.get("/cart")).json).toEqual({ cart: {} });
  });

  test("section 5: a value that is missing is not null", async () => {
    const client = await guest(target);
    expectError(await client.put("/session/data/key", { json: {} }), 422);
    expectStatus(await client.put("/session/data/key", { json: { value: null } }), 200);
  });

  test("section 5: a refused write starts no session", async () => {
    const client = visitor(target);
    for (const response of [
      await client.put("/session/data/x", { body: "{", headers: JSON_TYPE }),
      await client.put("/session/data/x", { json: {} }),
      await client.post("/cart", { json: { sku: "a", quantity: "b" } }),
      await client.post("/login", { json: {} }),
      await client.post("/cart", { form: "" }),
    ]) {
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.setCookies).toEqual([]);
    }
  });

  test("section 5: another content type is refused and saves nothing", async () => {
    const client = await guest(target);
    const body = '{"value":1,"sku":"a","quantity":1,"userid":"a","password":"demo"}';
    for (const type of [
      "text/plain",
      "application/xml",
      "multipart/form-data; boundary=x",
      "nonsense",
      "application/octet-stream",
    ]) {
      const headers = { "content-type": type };
      expectError(await client.put("/session/data/typed", { body, headers }), 400, 415, 422);
      expectError(await client.post("/cart", { body, headers }), 400, 415, 422);
      expectError(await client.post("/login", { body, headers }), 400, 415, 422);
    }
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
  });

  test("section 5: JSON that curl sends as a form, and a body of no type, are refused with the type to set", async () => {
    const client = await guest(target);
    for (const [method, path, body] of [
      ["PUT", "/session/data/typed", '{"value":1}'],
      ["POST", "/cart", '{"sku":"tea","quantity":1}'],
      ["POST", "/login", '{"userid":"ann","password":"demo"}'],
    ] as const) {
      const form = { "content-type": "application/x-www-form-urlencoded" };
      for (const [headers, status] of [
        [form, 415],
        [{ "content-type": "text/plain" }, 422],
      ] as const) {
        const response = await client.send(method, path, { body, headers });
        expectError(response, status);
        expect(response.json.error).toContain("application/json");
      }
    }
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
  });

  test("section 5: JSON with a charset is JSON; an unknown charset or encoding is refused", async () => {
    const client = await guest(target);
    expectStatus(
      await client.put("/session/data/a", {
        body: '{"value":"ü"}',
        headers: { "content-type": "application/json; charset=utf-8" },
      }),
      200,
    );
    expect((await client.get("/session")).json.data.a).toBe("ü");
    expectStatus(
      await client.put("/session/data/b", {
        body: '{"value":1}',
        headers: { ...JSON_TYPE, "content-encoding": "nonsense" },
      }),
      400,
      415,
    );
    expect((await client.get("/session")).json.data.b).toBeUndefined();
  });

  test("section 5: an unknown path is 404 {error}, whoever asks", async () => {
    for (const client of [visitor(target), await guest(target), await signedIn(target, someone())]) {
      for (const path of [
        "/nothing",
        "/session/nothing",
        "/sessions/a/b",
        "/health/nothing",
        "/favicon.icon",
        "/session/data",
        "/.env",
        "/package.json",
        "/../package.json",
        "/src/main.ts",
      ]) {
        const response = await client.get(path);
        expectError(response, 404, ...(path === "/session/data" ? [405] : []));
        expect(response.setCookies).toEqual([]);
      }
      expectError(await client.post("/nothing", { json: {} }), 404);
    }
  });

  test("section 5: a wrong method is 405 or 404 and changes nothing", async () => {
    const client = await guest(target);
    const before = token(client);
    for (const [method, path] of [
      ["PATCH", "/session"],
      ["PUT", "/session"],
      ["DELETE", "/health"],
      ["POST", "/health"],
      ["GET", "/login"],
      ["GET", "/logout"],
      ["DELETE", "/cart"],
      ["PUT", "/"],
      ["POST", "/"],
      ["GET", "/session/start"],
      ["PATCH", "/session/data/guest"],
      ["OPTIONS", "/session"],
      ["POST", "/style.css"],
      ["PUT", "/style.css"],
    ] as const) {
      const response = await client.send(method, path);
      expectStatus(response, 404, 405);
      expectNoInsides(response);
    }
    expect(token(client)).toBe(before);
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  test("section 5: an address has no second spelling: 404 with a slash more, or in capitals", async () => {
    const client = await guest(target);
    for (const path of [
      "/session/",
      "/Session",
      "/cart/",
      "/health/",
      "/HEALTH",
      "/sessions/",
      "/visits/",
      "/Visits",
    ]) {
      expectError(await client.get(path), 404, 405);
    }
    expectError(await client.put("/session/data/a/", { json: { value: 1 } }), 404);
    expectError(await client.put("/Session/data/a", { json: { value: 1 } }), 404);
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  test("S18: a value beyond maxDataBytes is 413 {error}, and what was stored stays", async () => {
    const client = await guest(target);
    await client.set("kept", "as it was");
    expectError(await client.set("huge", "x".repeat(70_000)), 413);
    expectError(await client.set("kept", "x".repeat(66_000)), 413);
    expect((await client.get("/session")).json.data).toEqual({ guest: true, kept: "as it was" });
  });

  test("S18: the limit is on the whole session, not on one value", async () => {
    const client = await guest(target);
    const statuses: number[] = [];
    for (let part = 0; part < 4; part++) statuses.push((await client.set(`part${part}`, "x".repeat(20_000))).status);
    expect(statuses).toEqual([200, 200, 200, 413]);
    expect(Object.keys((await client.get("/session")).json.data).sort()).toEqual(["guest", "part0", "part1", "part2"]);
    expectStatus(await client.delete("/session/data/part0"), 200);
    expectStatus(await client.set("part3", "x".repeat(20_000)), 200);
  });

  test("S18: the first write may be too large as well: 413, and no session is started", async () => {
    const client = visitor(target);
    const response = await client.set("huge", "x".repeat(70_000));
    expectError(response, 413);
    expect(response.setCookies).toEqual([]);
  });

  test("S18: maxDataBytes counts bytes, not characters", async () => {
    const client = await guest(target);
    expectStatus(await client.set("ascii", "x".repeat(30_000)), 200);
    expectError(await client.set("emoji", "\u{1f600}".repeat(15_000)), 413);
    expectStatus(await client.set("emoji", "\u{1f600}".repeat(5_000)), 200);
  });
}
