// What a session promises about its data, on every backend: any JSON, no key lost, nothing written in vain.
// Requests that overlap are steered by promises, never by time; `another()` is a second process on the same store.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { parseToken } from "../../runtime/src/session/token.ts";
import { canonical } from "../drivers/rows.ts";
import { backends, started, stored } from "./backends.ts";
import { dataOf, Visitor } from "./visitor.ts";

describe.each(backends)("%s", (backend) => {
  test("S9: any JSON under any key survives, and is noticed without a call, however deep", async ({ skip }) => {
    const { visitor, app } = await started(backend, skip);
    const limits = app.driver.limits?.text;
    // Backslashes in keys confuse the JSON.parse of Node 24 (V8): see test/drivers/arbitraries.ts.
    const storable = (value: unknown) =>
      !JSON.stringify(value).includes("\\\\") && (limits === undefined || !hasText(value, limits.pattern));
    const key = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("__proto__", "constructor", "", "a.b", "$set", '"', "\\"),
    );
    await fc.assert(
      fc.asyncProperty(key, fc.jsonValue({ maxDepth: 5 }), fc.jsonValue(), async (key, value, deeper) => {
        fc.pre(storable([key, value, deeper]));
        await visitor.visit((session) => {
          for (const old of Object.keys(session.data)) delete dataOf(session)[old];
          dataOf(session)[key] = { list: [value] };
        });
        await visitor.visit((session) => {
          const { list } = dataOf(session)[key] as { list: unknown[] };
          expect(canonical(JSON.stringify(list))).toBe(canonical(JSON.stringify([value])));
          list.push(deeper);
        });
        const data = await stored(visitor);
        expect(Object.keys(data ?? {})).toEqual([key]);
        expect(canonical(JSON.stringify(data?.[key]))).toBe(canonical(JSON.stringify({ list: [value, deeper] })));
        expect(({} as Record<string, unknown>).list).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("S10: parallel requests keep each other's keys, in one process and in two", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const second = backend === "memory" ? app : await app.another();
    await visitor.visit((session) => Object.assign(session.data, { old: 1, gone: 1 }));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const tab = new Visitor(index % 2 ? app : second, visitor.token);
        return tab.visit((session) => {
          dataOf(session)[`key${index}`] = index;
          if (index === 7) delete dataOf(session).gone;
        });
      }),
    );
    const data = await stored(visitor);
    expect(Object.keys(data ?? {})).toHaveLength(202);
    expect(data).toMatchObject({ here: 1, old: 1, key0: 0, key199: 199 });
  });

  test("S10: nothing changed, nothing written", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const before = await app.driver.read(parseToken(visitor.token ?? "")?.id ?? "", { now: app.now });
    await visitor.visit((session) => {
      const data = dataOf(session);
      data.here = 2;
      data.here = 1;
      data.brief = true;
      delete data.brief;
    });
    const after = await app.driver.read(parseToken(visitor.token ?? "")?.id ?? "", { now: app.now });
    expect(after).toEqual(before);
  });

  test("S12: a write that no handler has waited for fails the request, not the process", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    app.driver.change = async () => {
      throw new StoreUnavailable("down");
    };
    const answer = await visitor.visit((session) => {
      void session.update((data) => void Object.assign(data, { visits: 1 }));
    });
    expect(answer.error).toMatchObject({ status: 503 });
  });

  test("S12: what is set while a save is under way is saved by the next one", async ({ skip }) => {
    const { visitor } = await started(backend, skip);
    await visitor.visit(async (session) => {
      dataOf(session).first = 1;
      const saving = session.save();
      session.userid = "ann";
      dataOf(session).second = 2;
      await saving;
    });
    expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
    expect(await stored(visitor)).toEqual({ here: 1, first: 1, second: 2 });
  });

  test("S12: what could not be saved is saved by the next try", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const { change } = app.driver;
    await visitor.visit(async (session) => {
      session.userid = "ann";
      app.driver.change = async () => {
        throw new StoreUnavailable("down");
      };
      await expect(session.save()).rejects.toThrow("down");
      app.driver.change = change;
    });
    expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
  });
});

function hasText(value: unknown, pattern: RegExp): boolean {
  if (typeof value === "string") return pattern.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => pattern.test(key) || hasText(item, pattern));
}
