// The limits of a session's size and of a user's sessions, on every backend.
// Add a case for a new limit.
import { describe, expect, test } from "vitest";
import { parseToken } from "../../runtime/src/session/token.ts";
import { backends, started, stored } from "./backends.ts";
import { dataOf, Visitor, write } from "./visitor.ts";

describe.each(backends)("%s", (backend) => {
  test("S18: data beyond maxDataBytes is refused with 413 and the stored data stays; it may still shrink", async ({
    skip,
  }) => {
    const { app, visitor } = await started(backend, skip, { maxDataBytes: 100 });
    const answer = await visitor.visit((session) => {
      dataOf(session).small = 1;
      dataOf(session).large = "é".repeat(50);
    });
    expect(answer.error).toMatchObject({ name: "DataTooLarge", status: 413 });
    expect(await stored(visitor)).toEqual({ here: 1 });
    const update = await visitor.visit((session) =>
      session.update((data) => void Object.assign(data, { large: "x".repeat(100) })),
    );
    expect(update.error).toMatchObject({ status: 413 });
    await app.driver.change(parseToken(visitor.token ?? "")?.id ?? "", {
      now: app.now,
      set: new Map([["large", JSON.stringify("x".repeat(200))]]),
    });
    expect((await visitor.visit(write("large", "x".repeat(150)))).error).toBeUndefined();
    expect((await visitor.visit(write("large", "x".repeat(160)))).error).toMatchObject({ status: 413 });
  });

  test("S21: signing in beyond maxPerUser ends the oldest, with an event", async ({ skip }) => {
    const { app } = await started(backend, skip, { maxPerUser: 2 });
    const visitors = [new Visitor(app), new Visitor(app), new Visitor(app)];
    for (const visitor of visitors) {
      app.now += 1;
      await visitor.visit((session) => {
        session.userid = "ann";
      });
    }
    const alive = await Promise.all(
      visitors.map(async (visitor) => (await visitor.visit((session) => session.exists)).result),
    );
    expect(alive).toEqual([false, true, true]);
    expect(app.events).toContainEqual(expect.objectContaining({ type: "ended", reason: "limit", userid: "ann" }));
  });

  test("S18: many large writes in parallel stay within the limit together", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { maxDataBytes: 10_000 });
    const second = backend === "memory" ? app : await app.another();
    const entered: Promise<void>[] = [];
    const gate = Promise.withResolvers<void>();
    const answers = Array.from({ length: 20 }, (_, index) => {
      const inside = Promise.withResolvers<void>();
      entered.push(inside.promise);
      return new Visitor(index % 2 ? app : second, visitor.token).visit(async (session) => {
        inside.resolve();
        await gate.promise;
        dataOf(session)[`key${index}`] = "x".repeat(4000);
      });
    });
    await Promise.all(entered);
    gate.resolve();
    const refused = (await Promise.all(answers)).filter(({ error }) => error !== undefined);
    expect(refused).toHaveLength(18);
    for (const { error } of refused) expect(error).toMatchObject({ status: 413 });
    expect(JSON.stringify(await stored(visitor)).length).toBeLessThan(10_000);
  });
});
