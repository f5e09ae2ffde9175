// What drivers promise about session data: any JSON object goes in and comes out as it was, whole or key by key.
// Change it when a new sort of data is found that a backend spoils; the values are drawn in arbitraries.ts.

import fc from "fast-check";
import { expect, test } from "vitest";
import { joinData } from "../../runtime/src/session/contract.ts";
import { entries, nested, storable } from "./arbitraries.ts";
import type { Subject } from "./conformance.ts";
import { canonical, createRow, existing, START, set } from "./rows.ts";

const now = START;
const RUNS = Number(process.env.PROPERTY_RUNS ?? 100);

export function data(subject: Subject): void {
  test("S9: any JSON object comes back from create as it was", async () => {
    const property = fc.asyncProperty(entries(subject.a.limits), async (pairs) => {
      const row = await createRow(subject.a, { data: joinData(pairs) });
      expect(canonical((await existing(subject.b, row.id)).data)).toBe(canonical(row.data));
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  test("S9, S10: any keys are set and removed as they are, and nothing beside them", async () => {
    const some = entries(subject.a.limits);
    const property = fc.asyncProperty(some, some, some, async (before, written, dropped) => {
      const row = await createRow(subject.a, { data: joinData(before) });
      const remove = [...dropped, ...before.slice(0, 2)].map(([key]) => key);
      const remain = new Map(before.filter(([key]) => !remove.includes(key)));
      const writes = new Map(written.filter(([key]) => !remove.includes(key)));
      expect(await subject.a.change(row.id, { now, set: writes, remove })).toBe("done");
      const expected = canonical(joinData(new Map([...remain, ...writes])));
      expect(canonical((await existing(subject.b, row.id)).data)).toBe(expected);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  test("S9: keys with backslashes are set and removed as they are", async () => {
    const keys = ["a\\b", "\\\\", "c:\\d", "\\u0041"];
    const row = await createRow(subject.a, { data: "{}" });
    for (const key of keys) {
      expect(await subject.a.change(row.id, { now, set: new Map([[key, "1"]]) })).toBe("done");
      expect(JSON.parse((await existing(subject.b, row.id)).data)).toEqual({ [key]: 1 });
      expect(await subject.b.change(row.id, { now, remove: [key] })).toBe("done");
      expect((await existing(subject.a, row.id)).data).toBe("{}");
    }
  });

  test("S9: no key reaches a prototype", async () => {
    const row = await createRow(subject.a, { data: '{"a":1}' });
    const texts = new Map([
      ["__proto__", '{"polluted":1}'],
      ["constructor", '{"prototype":{"polluted":1}}'],
    ]);
    expect(await subject.a.change(row.id, { now, set: texts })).toBe("done");
    const expected = '{"__proto__":{"polluted":1},"a":1,"constructor":{"prototype":{"polluted":1}}}';
    expect(canonical((await existing(subject.b, row.id)).data)).toBe(expected);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(await subject.b.change(row.id, { now, remove: ["__proto__", "constructor"] })).toBe("done");
    expect(canonical((await existing(subject.a, row.id)).data)).toBe('{"a":1}');
  });

  test("S9: data nests as deep as the driver says, or 100 levels", async () => {
    const depth = Math.min(subject.a.limits?.depth ?? 100, 100);
    const row = await createRow(subject.a, { data: nested(depth) });
    expect(canonical((await existing(subject.b, row.id)).data)).toBe(nested(depth));
    expect(await subject.b.change(row.id, { now, set: new Map([["k", nested(depth - 1)]]) })).toBe("done");
    expect(canonical((await existing(subject.a, row.id)).data)).toBe(`{"k":${nested(depth - 1)}}`);
  });

  test("S18: 64 kB of data, in one value or in a thousand keys", async () => {
    const long = JSON.stringify({ text: 'é\\"😀x'.repeat(9000) });
    const row = await createRow(subject.a, { data: long });
    expect(canonical((await existing(subject.b, row.id)).data)).toBe(long);
    expect(await subject.b.change(row.id, { now, set: set({ text: "short" }) })).toBe("done");
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, number) => [`key ${number}`, "x".repeat(50)]));
    expect(await subject.a.change(row.id, { now, set: set(many), remove: ["text"] })).toBe("done");
    expect(JSON.parse((await existing(subject.b, row.id)).data)).toEqual(many);
    expect(await subject.a.change(row.id, { now, remove: Object.keys(many) })).toBe("done");
    expect(canonical((await existing(subject.b, row.id)).data)).toBe("{}");
  });

  test("S9: the limits name what can't be stored, and nothing that can", () => {
    const { text, depth = 100 } = subject.a.limits ?? {};
    expect(text?.pattern.flags ?? "", "test() of a global pattern remembers where it stopped").not.toMatch(/[gy]/);
    expect(depth).toBeGreaterThanOrEqual(50);
    for (const harmless of ["", "plain", "é", "😀", "a.b", "$set", "__proto__", '"', "\\", "\n"]) {
      expect(storable(harmless, subject.a.limits), JSON.stringify(harmless)).toBe(true);
    }
  });
}
