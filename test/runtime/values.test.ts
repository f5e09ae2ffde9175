// Values that can and that can't be stored in a session.
// Add a value that JSON alters or drops.
import { describe, expect, test } from "vitest";
import { memoryApp } from "./memory.ts";
import { dataOf, Visitor, write } from "./visitor.ts";

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
      const target = await memoryApp();
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
    const visitor = new Visitor(await memoryApp());
    await visitor.visit(write("list", { items: [null] }));
    for (const bad of [Number.NaN, undefined, () => {}]) {
      const answer = await visitor.visit((session) => {
        (dataOf(session).list as { items: unknown[] }).items[0] = bad;
      });
      expect(answer.error).toBeInstanceOf(TypeError);
    }
  });

  test("S9: what every object inherits is no value, under the very key by which it is inherited", async () => {
    const visitor = new Visitor(await memoryApp());
    await visitor.visit(write("here", 1));
    for (const key of ["constructor", "toString"] as const) {
      const { error } = await visitor.visit((session) => {
        dataOf(session)[key] = Object.prototype[key];
      });
      expect(error, key).toBeInstanceOf(TypeError);
      expect(String(error)).toContain(`data.${key} is a function`);
    }
    await visitor.visit((session) => {
      dataOf(session)[PROTO] = Object.prototype;
    });
    const { result } = await visitor.visit((session) => Object.entries(dataOf(session)));
    expect(result).toEqual([
      ["here", 1],
      [PROTO, {}],
    ]);
  });

  test("S9: toJSON is honoured; undefined properties are left out, as JSON does", async () => {
    const visitor = new Visitor(await memoryApp());
    await visitor.visit(write("value", { when: new Date(0), none: undefined }));
    const { result } = await visitor.visit((session) => dataOf(session).value);
    expect(result).toEqual({ when: "1970-01-01T00:00:00.000Z" });
  });

  test("S9: no prototype is polluted by any key", async () => {
    const visitor = new Visitor(await memoryApp());
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
