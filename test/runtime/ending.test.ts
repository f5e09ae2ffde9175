// How sessions end, on every backend: at once, for good, and never brought back.
// Add a case for a new way to end a session.
import { describe, expect, test } from "vitest";
import { parseToken } from "../../runtime/src/session/token.ts";
import { backends, started } from "./backends.ts";
import { dataOf, open, Visitor, write } from "./visitor.ts";

describe.each(backends)("%s", (backend) => {
  test.for([
    ["the same process signs out", "destroy"],
    ["another process ends it", "another"],
    ["its user signs out everywhere", "endAll"],
    ["everybody's are ended", "everybody"],
    ["it expires and is purged", "purge"],
  ] as const)("S14: a request in flight never brings a session back when %s", async ([_, how], { skip }) => {
    const app = await open(backend, { lifetime: 0, idle: 1000 });
    if (app === undefined) return skip("its server is not here");
    const visitor = new Visitor(app);
    await visitor.visit(async (session) => {
      dataOf(session).here = 1;
      await session.signIn("ann");
    });
    const tries: [string, (client: Visitor) => Promise<boolean>][] = [
      ["data", (client) => slow(client, write("late", 1))],
      [
        "save",
        (client) =>
          slow(client, (session) => {
            write("late", 1)(session);
            return session.save();
          }),
      ],
      [
        "update",
        (client) => slow(client, (session) => session.update((data) => void Object.assign(data, { late: 1 }))),
      ],
      ["renew", (client) => slow(client, (session) => session.renew())],
      ["idle", (client) => slow(client, (session) => void Object.assign(session, { idle: 500 }))],
      ["userid", (client) => slow(client, (session) => void Object.assign(session, { userid: null }))],
    ];
    const entered: Promise<void>[] = [];
    const gate = Promise.withResolvers<void>();
    async function slow(client: Visitor, handle: Parameters<Visitor["visit"]>[0]): Promise<boolean> {
      const inside = Promise.withResolvers<void>();
      entered.push(inside.promise);
      const answer = await client.visit(async (session) => {
        inside.resolve();
        await gate.promise;
        await handle(session);
      });
      expect(answer.error).toBeUndefined();
      expect(answer.setCookie).toEqual([]);
      return answer.session?.ended ?? false;
    }
    const flying = tries.map(([, run]) => run(new Visitor(app, visitor.token)));
    await Promise.all(entered);
    const id = parseToken(visitor.token ?? "")?.id ?? "";
    if (how === "destroy") await visitor.visit((session) => session.destroy());
    if (how === "another") await (backend === "memory" ? app : await app.another()).sessions.end(id);
    if (how === "endAll") expect(await app.sessions.endByUser("ann")).toBe(1);
    if (how === "everybody") expect(await app.sessions.endAll()).toBe(1);
    if (how === "purge") {
      app.now += 1001;
      await app.sessions.purge();
    }
    gate.resolve();
    expect(await Promise.all(flying)).toEqual(tries.map(() => true));
    const row = await app.driver.read(id, { now: app.now });
    if (app.nativeExpiry && how === "purge") expect(row?.expires ?? 0).toBeLessThan(app.now);
    else expect(row).toBeUndefined();
    expect((await app.driver.stats(app.now)).live).toBe(0);
  });

  test("S14: a sign-in in a session that was ended meanwhile starts a new one", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const id = parseToken(visitor.token ?? "")?.id ?? "";
    const answer = await visitor.visit(async (session) => {
      await app.sessions.end(id);
      await session.signIn("ann");
      return session.userid;
    });
    expect(answer.result).toBe("ann");
    expect(answer.session?.id).not.toBe(id);
    expect((await visitor.visit((session) => [session.userid, { ...session.data }])).result).toEqual(["ann", {}]);
  });

  test("S14: destroy clears the cookie, and what the same request writes afterwards is dropped", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const answer = await visitor.visit(async (session) => {
      await session.destroy();
      dataOf(session).after = 1;
    });
    expect(answer.setCookie).toEqual(["session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"]);
    expect((await app.driver.stats(app.now)).live).toBe(0);
  });

  test("S14: destroy drops what a request has written to a session that is not stored yet", async ({ skip }) => {
    const { app } = await started(backend, skip);
    const answer = await new Visitor(app).visit(async (session) => {
      dataOf(session).here = 1;
      session.userid = "ann";
      await session.destroy();
    });
    expect(answer.setCookie).toEqual([]);
    expect((await app.driver.stats(app.now)).live).toBe(1);
  });

  test("S15: list, end and endAll work on a user's own, and show no secret", async ({ skip }) => {
    const { app } = await started(backend, skip);
    const visitors = [new Visitor(app), new Visitor(app), new Visitor(app)];
    for (const visitor of visitors) await visitor.visit((session) => session.signIn("ann"));
    const other = new Visitor(app);
    await other.visit((session) => session.signIn("Ann"));
    const list = await app.sessions.list("ann");
    expect(list).toHaveLength(3);
    for (const info of list) expect(info).not.toHaveProperty("secretHash");
    expect(await app.sessions.endByUser("ann", { except: list[0]?.id })).toBe(2);
    expect(await app.sessions.list("ann")).toHaveLength(1);
    expect(await app.sessions.end(list[0]?.id ?? "")).toBe(true);
    expect(await app.sessions.end(list[0]?.id ?? "")).toBe(false);
    expect((await other.visit((session) => session.userid)).result).toBe("Ann");
  });
});
