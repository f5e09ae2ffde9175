// What a session can hold: any JSON under any key, the way it was sent.
// Change it with the limits of S9.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Client, HttpResponse } from "../client.ts";
import { ODD_KEYS, ODD_VALUES } from "./odd-input.ts";
import { expectError, expectStatus, guest, type Target, visitor } from "./visitors.ts";

/** Runs of each property; a store under test on a slow machine may want fewer, a long night more. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 60);

export function dataTests(target: Target): void {
  test("S9: any key in the path comes back as it was sent", async () => {
    const client = await guest(target);
    for (const key of ODD_KEYS) {
      const response = await client.set(key, { for: key });
      expectStatus(response, 200);
      expect(own(response, key), `key ${JSON.stringify(key)}`).toEqual({ for: key });
      expect(own(await client.get("/session"), key)).toEqual({ for: key });
      const removed = await client.delete(`/session/data/${encodeURIComponent(key)}`);
      expectStatus(removed, 200);
      expect(Object.keys(removed.json.data), `after removing ${JSON.stringify(key)}`).toEqual(["guest"]);
    }
  });

  test("S9: all odd keys live side by side, and removing one leaves the others", async () => {
    const client = await guest(target);
    for (const [index, key] of ODD_KEYS.entries()) await client.set(key, index);
    const { data } = (await client.get("/session")).json;
    expect(Object.keys(data).sort()).toEqual([...ODD_KEYS, "guest"].sort());
    for (const [index, key] of ODD_KEYS.entries())
      expect(Object.getOwnPropertyDescriptor(data, key)?.value).toBe(index);
    await client.delete("/session/data/a.b");
    await client.delete("/session/data/__proto__");
    expect(Object.keys((await client.get("/session")).json.data)).toHaveLength(ODD_KEYS.length - 1);
  });

  test("S9: any JSON value comes back as it was sent", async () => {
    const client = await guest(target);
    for (const value of ODD_VALUES) await expectRoundTrip(client, "value", value);
    await expectRoundTrip(client, "deep", nested(50));
    await expectRoundTrip(
      client,
      "wide",
      Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, index])),
    );
  });

  test("S9: no key and no value reaches a prototype", async () => {
    const client = await guest(target);
    await client.set("__proto__", { polluted: true, userid: "root" });
    await client.put("/session/data/constructor", {
      body: '{"value":{"prototype":{"polluted":true}}}',
      headers: { "content-type": "application/json" },
    });
    await client.put("/session/data/a", {
      body: '{"value":{"__proto__":{"polluted":true}},"__proto__":{"polluted":true}}',
      headers: { "content-type": "application/json" },
    });
    await client.post("/cart", { json: { sku: "__proto__", quantity: 3 } });
    const cart = (await client.get("/cart")).json.cart;
    expect(Object.getOwnPropertyDescriptor(cart, "__proto__")?.value).toBe(3);
    const session = (await client.get("/session")).json;
    expect(session.userid).toBeNull();
    expect(session.data.polluted).toBeUndefined();
    const other = await guest(target);
    expect((await other.get("/session")).text).not.toContain("polluted");
    expect((await visitor(target).get("/cart")).json).toEqual({ cart: {} });
  });

  test("S9: the body's __proto__ is not its value", async () => {
    const client = await guest(target);
    const headers = { "content-type": "application/json" };
    expectError(await client.put("/session/data/a", { body: '{"__proto__":{"value":1}}', headers }), 400, 422);
    expectError(
      await client.post("/login", { body: '{"__proto__":{"userid":"a","password":"demo"}}', headers }),
      400,
      422,
    );
    expectError(await client.post("/cart", { body: '{"__proto__":{"sku":"a","quantity":1}}', headers }), 400, 422);
  });

  test("S9: NUL and lone surrogates come back as they were, or are refused with 422 that says why", async () => {
    const client = await guest(target);
    const bodies = [
      '{"value":"a\\u0000b"}',
      '{"value":{"a\\u0000b":1}}',
      '{"value":"\\ud800"}',
      '{"value":"\\udc00\\ud800"}',
      '{"value":{"\\ud800":[1]}}',
      '{"value":["\\u0000"]}',
    ];
    for (const body of bodies) await expectKeptOrRefused(client, "/session/data/odd", body);
    for (const key of ["%00", "a%00b", "%00%00"])
      await expectKeptOrRefused(client, `/session/data/${key}`, '{"value":1}');
  });

  test("S9: nesting beyond what a store holds is refused with 413 or 422, and saves nothing", async () => {
    const client = await guest(target);
    for (const depth of [200, 1_000, 5_000, 12_000, 30_000]) {
      const body = `{"value":${"[".repeat(depth)}${"]".repeat(depth)}}`;
      const response = await client.put("/session/data/deep", {
        body,
        headers: { "content-type": "application/json" },
      });
      if (response.status === 200) expect((await client.get("/session")).text).toContain("[".repeat(depth));
      else expectError(response, 400, 413, 422);
      await client.delete("/session/data/deep");
    }
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  test("S9: property: any JSON under any key survives the round trip", async () => {
    const client = await guest(target);
    const key = fc
      .string({ unit: "binary", minLength: 1, maxLength: 40 })
      .filter((text) => !["", ".", ".."].includes(text) && !/[\0\\]/.test(text));
    await fc.assert(
      fc.asyncProperty(key, jsonValue(5, "grapheme"), async (name, value) => {
        await expectRoundTrip(client, name, value);
        expectStatus(await client.delete(`/session/data/${encodeURIComponent(name)}`), 200);
      }),
      { numRuns: RUNS },
    );
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  test("S9: property: a sequence of sets and removals ends where a plain map ends", async () => {
    const key = fc.constantFrom("a", "b", "a.b", "__proto__", "$set", "constructor", '"', "ä");
    const step = fc.record({ key, value: fc.option(jsonValue(2, "grapheme-ascii"), { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const client = visitor(target);
        const model = new Map<string, unknown>();
        for (const { key, value } of steps) {
          if (value === undefined) {
            model.delete(key);
            expectStatus(await client.delete(`/session/data/${encodeURIComponent(key)}`), 200);
          } else {
            model.set(key, value);
            expectStatus(await client.set(key, value), 200);
          }
        }
        const response = await client.get("/session");
        if (response.status === 404) expect(model.size).toBe(0);
        else expect(canonical(response.json.data)).toBe(canonical(Object.fromEntries(model)));
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });
}

async function expectRoundTrip(client: Client, key: string, value: unknown): Promise<void> {
  const response = await client.set(key, value);
  expectStatus(response, 200);
  const sent = canonical(JSON.parse(JSON.stringify(value)));
  expect(canonical(own(response, key))).toBe(sent);
  expect(canonical(own(await client.get("/session"), key))).toBe(sent);
}

async function expectKeptOrRefused(client: Client, path: string, body: string): Promise<void> {
  const response = await client.put(path, { body, headers: { "content-type": "application/json" } });
  const key = decodeURIComponent(path.slice("/session/data/".length));
  const stored = (await client.get("/session")).json.data;
  if (response.status === 200) {
    expect(canonical(own(response, key))).toBe(canonical(JSON.parse(body).value));
    expect(canonical(stored[key])).toBe(canonical(JSON.parse(body).value));
    expectStatus(await client.delete(path), 200);
  } else {
    expectError(response, 422);
    expect(stored).toEqual({ guest: true });
  }
}

/** The value under a key of the response's data, even where the key is `__proto__`. */
function own(response: HttpResponse, key: string): unknown {
  return Object.getOwnPropertyDescriptor(response.json.data, key)?.value;
}

/** JSON text with sorted keys: stores may order keys as they like. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== "object") return String(JSON.stringify(value));
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)}}`;
}

function nested(depth: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { [`level ${level}`]: value };
  return value;
}

/** Any JSON, but for backslashes: in keys they confuse the JSON.parse of Node 24 (V8), as test/drivers/arbitraries.ts tells. */
function jsonValue(maxDepth: number, stringUnit: "grapheme" | "grapheme-ascii"): fc.Arbitrary<fc.JsonValue> {
  return fc.jsonValue({ maxDepth, stringUnit }).filter((value) => !JSON.stringify(value).includes("\\\\"));
}
