// `session.update` on every backend: atomic, in one process and in two.
// Add a case for whatever a callback may do.
import { describe, expect, test } from "vitest";
import { backends, started, stored } from "./backends.ts";
import { dataOf, Visitor } from "./visitor.ts";

describe.each(backends)("%s", (backend) => {
  test("S11: 1,000 parallel increments through update are 1,000, in one process and in two", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const second = backend === "memory" ? app : await app.another();
    await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        new Visitor(index % 2 ? app : second, visitor.token).visit((session) =>
          session.update((data) => {
            data.visits = (data.visits ?? 0) + 1;
          }),
        ),
      ),
    ).then((answers) => expect(answers.filter(({ error }) => error !== undefined)).toEqual([]));
    expect((await stored(visitor))?.visits).toBe(1000);
  });

  test("S11: update sees and saves what the request has written before, and its result is in `data`", async ({
    skip,
  }) => {
    const { visitor } = await started(backend, skip);
    await visitor.visit(async (session) => {
      dataOf(session).before = 1;
      delete dataOf(session).here;
      const held = session.data;
      const result = await session.update((data) => {
        expect({ ...data }).toEqual({ before: 1 });
        data.visits = 7;
        return "done";
      });
      expect(result).toBe("done");
      expect({ ...held }).toEqual({ before: 1, visits: 7 });
    });
    expect(await stored(visitor)).toEqual({ before: 1, visits: 7 });
  });

  test("S11: an update within an update is refused instead of waiting for itself", async ({ skip }) => {
    const { visitor } = await started(backend, skip);
    const answer = await visitor.visit((session) => session.update(() => session.save()));
    expect(String(answer.error)).toContain("would wait for itself");
  });

  test("S10, S11: what is changed while an update runs is kept", async ({ skip }) => {
    const { visitor } = await started(backend, skip);
    await visitor.visit(async (session) => {
      const gate = Promise.withResolvers<void>();
      const updated = session.update(async (data) => {
        await gate.promise;
        data.visits = 1;
      });
      dataOf(session).mine = 1;
      gate.resolve();
      await updated;
    });
    expect(await stored(visitor)).toEqual({ here: 1, mine: 1, visits: 1 });
  });

  test("S11: an update that throws leaves nothing, with a session and without one", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const guest = new Visitor(app);
    for (const client of [visitor, guest]) {
      const answer = await client.visit((session) =>
        session.update((data) => {
          data.visits = 1;
          throw new Error("not paid");
        }),
      );
      expect(String(answer.error)).toBe("Error: not paid");
      expect(answer.setCookie).toEqual([]);
    }
    expect(await stored(visitor)).toEqual({ here: 1 });
    expect((await app.driver.stats(app.now)).live).toBe(1);
  });

  test("S11: an update that never ends holds up the others for a while only", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { storeTimeout: 500 });
    const entered = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const stuck = new Visitor(app, visitor.token).visit((session) =>
      session.update(async () => {
        entered.resolve();
        await end.promise;
      }),
    );
    await entered.promise;
    const next = await visitor.visit((session) => session.update((data) => void Object.assign(data, { visits: 1 })));
    expect(next.error).toBeUndefined();
    end.resolve();
    await stuck;
    expect(await stored(visitor)).toEqual({ here: 1, visits: 1 });
  });
});
