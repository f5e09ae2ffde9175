// Sessions of another system that are taken over: by parallel requests, by several processes, while its store fails.
// Change it when an Adoption can say more of an old session.
import { describe, expect, test } from "vitest";
import type { Adoption, OldSession } from "../../runtime/src/session/adopt.ts";
import { Sessions } from "../../runtime/src/session/sessions.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { backends, started } from "./backends.ts";
import { memoryApp } from "./memory.ts";
import { type App, dataOf, Visitor, write } from "./visitor.ts";

/** The old system: an old cookie is the id itself. */
class OldSystem implements Adoption {
  readonly secret = "the old system's secret";
  readonly clearCookie = "old=; Path=/; Max-Age=0";
  readonly rows = new Map<string, OldSession>();
  reads = 0;

  identify({ header }: Parameters<Adoption["identify"]>[0]): string | undefined {
    return /(?:^|; )old=(\w+)/.exec(header("cookie") ?? "")?.[1];
  }

  async read(id: string): Promise<OldSession | undefined> {
    this.reads += 1;
    return this.rows.get(id);
  }

  async remove(id: string): Promise<void> {
    this.rows.delete(id);
  }
}

const ann: OldSession = { userid: "ann", data: { cart: [1], passport: { user: "ann" } } };

function adopting(app: App, old: Adoption, settings: Partial<SessionSettings> = {}): App {
  app.sessions = new Sessions({
    driver: app.driver,
    settings: { ...app.sessions.settings, ...settings },
    adopt: old,
    onEvent: (event) => app.events.push(event),
    clock: () => app.now * 1000 + 500,
  });
  return app;
}

/** A browser that has nothing but an old cookie. It is asked for as long as no response has cleared it. */
function withOldCookie(app: App, id = "one"): Visitor {
  const visitor = new Visitor(app);
  visitor.cookie = `old=${id}`;
  return visitor;
}

/** What a handler sees of the session. The visitor then has the session's cookie, if one was set, and not the old one. */
async function look(visitor: Visitor) {
  const seen = await visitor.visit((session) => [session.id, session.userid, { ...dataOf(session) }]);
  visitor.cookie = seen.setCookie[0]?.split(";")[0] ?? visitor.cookie;
  return seen;
}

describe.each(backends)("on %s", (backend) => {
  test("S29: parallel first requests get one session, in several processes too, and the old one is removed", async ({
    skip,
  }) => {
    const { app } = await started(backend, skip);
    const old = new OldSystem();
    old.rows.set("one", ann);
    // Sessions in memory are one process's own.
    const other = app.driver.inProcess === true ? app : adopting(await app.another(), old);
    adopting(app, old);
    const before = (await app.driver.stats(app.now)).live;
    const visitors = Array.from({ length: 6 }, (_, index) => withOldCookie(index % 2 === 0 ? app : other));
    const answers = await Promise.all(visitors.map(look));
    const [id] = answers[0]?.result ?? [];
    for (const { result, setCookie } of answers) {
      expect(result).toEqual([id, "ann", { cart: [1], passport: { user: "ann" } }]);
      expect(setCookie).toHaveLength(2);
      expect(setCookie[1]).toBe(old.clearCookie);
    }
    expect(new Set(answers.map(({ setCookie }) => setCookie[0]?.split(";")[0])).size).toBe(1);
    expect((await app.driver.stats(app.now)).live).toBe(before + 1);
    expect(old.rows.size).toBe(0);
    const adopted = [...new Set([...app.events, ...other.events])].filter(({ type }) => type === "adopted");
    expect(adopted).toEqual([{ type: "adopted", id, userid: "ann" }]);
    expect((await app.sessions.list("ann")).map((info) => info.id)).toEqual([id]);
  });
});

test("S22 S29: user, data and times are taken over; a sign-in whose time is unknown is not recent", async () => {
  const app = adopting(await memoryApp(), new OldSystem());
  const old = new OldSystem();
  adopting(app, old);
  const [created, authenticated] = [app.now - 5000, app.now - 4000];
  old.rows.set("one", { ...ann, created, authenticated, idle: 500 });
  old.rows.set("two", ann);
  old.rows.set("guest", { userid: null, data: { cart: [2] } });
  const seen = await withOldCookie(app).visit((session) => {
    const { updated, idle } = session;
    return [session.created, updated, session.authenticated, idle, session.fresh(3999), session.fresh(4000)];
  });
  expect(seen.result).toEqual([created, app.now, authenticated, 500, false, true]);
  const unknown = await withOldCookie(app, "two").visit((session) => [session.created, session.fresh(1_000_000)]);
  expect(unknown.result).toEqual([app.now, false]);
  expect((await look(withOldCookie(app, "guest"))).result?.slice(1)).toEqual([null, { cart: [2] }]);
});

test("S13 S14 S29: a response that was lost costs nothing; after a sign-in or a sign-out the old cookie is worth nothing", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp(), old);
  for (const id of ["one", "two"]) old.rows.set(id, ann);
  const first = withOldCookie(app);
  const { result } = await look(first);
  const again = withOldCookie(app);
  expect((await look(again)).result).toEqual(result);
  expect(again.cookie).toBe(first.cookie);
  await first.visit((session) => session.signIn("ann"));
  const { result: seen, setCookie } = await look(withOldCookie(app));
  expect([seen, setCookie]).toEqual([[undefined, null, {}], []]);
  // Where each visit starts a session, this one must not: its cookie would replace the one of the sign-in.
  const visited = await look(withOldCookie(adopting(app, old, { start: "visit" })));
  expect(visited.setCookie).toEqual([]);
  adopting(app, old, { start: "write" });

  const second = withOldCookie(app, "two");
  await look(second);
  await second.visit((session) => session.destroy());
  expect((await look(withOldCookie(app, "two"))).result).toEqual([undefined, null, {}]);
  expect((await app.driver.stats(app.now)).live).toBe(1);
});

test("S14 S29: an adoption that is overtaken by another and by its sign-out doesn't bring the session back", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp(), old);
  old.rows.set("one", ann);
  // The slow request has read the old row; then the fast one adopts it and signs out.
  const { read } = old;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: hasRead, resolve: noteRead } = Promise.withResolvers<void>();
  old.read = async (id) => {
    const row = await read.call(old, id);
    old.read = read;
    noteRead();
    await released;
    return row;
  };
  const slow = look(withOldCookie(app));
  await hasRead;
  const fast = withOldCookie(app);
  await look(fast);
  await fast.visit((session) => session.destroy());
  release();
  const { result, setCookie } = await slow;
  expect([result, setCookie]).toEqual([[undefined, null, {}], []]);
  expect((await app.driver.stats(app.now)).live).toBe(0);
});

test("F1 S29: while the old store fails or hangs the response is 503, and nobody is taken for a new visitor", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp(), old, { storeTimeout: 50, start: "visit" });
  old.rows.set("one", ann);
  const { read } = old;
  for (const failure of [() => Promise.reject(new Error("connection refused")), () => new Promise<never>(() => {})]) {
    old.read = failure;
    const { error, setCookie } = await look(withOldCookie(app));
    expect(error).toMatchObject({ status: 503 });
    expect(setCookie).toEqual([]);
  }
  old.read = read;
  expect((await look(withOldCookie(app))).result?.[1]).toBe("ann");
  // Other visitors never wait for it.
  old.reads = 0;
  expect((await look(new Visitor(app))).error).toBe(undefined);
  expect(old.reads).toBe(0);
});

test("S29: an old session that can't be removed is reported, and its user is signed in", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp(), old);
  old.rows.set("one", ann);
  old.remove = () => Promise.reject(new Error("read-only"));
  expect((await look(withOldCookie(app))).result?.[1]).toBe("ann");
  expect(app.events).toContainEqual({ type: "warning", message: expect.stringContaining("read-only") });
});

test("S9 S29: what can't be taken over is reported and left where it is", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp(), old);
  old.rows.set("one", { userid: "ann", data: { bad: Number.NaN } });
  old.rows.set("two", { userid: "x".repeat(256), data: {} });
  for (const id of ["one", "two"]) {
    const { result, error } = await look(withOldCookie(app, id));
    expect([result, error]).toEqual([[undefined, null, {}], undefined]);
  }
  expect(app.events.filter(({ type }) => type === "warning")).toHaveLength(2);
  expect(old.rows.size).toBe(2);
});

test("S2 S3 S7 S29: a session of here comes first, a Bearer token has none of it, one past its lifetime is not adopted", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp({ lifetime: 1000 }), old);
  old.rows.set("one", ann);
  old.rows.set("past", { ...ann, created: app.now - 1001 });
  const both = new Visitor(app);
  await both.visit(write("here", 1));
  both.headers.cookie = `${both.cookie}; old=one`;
  expect((await look(both)).result?.slice(1)).toEqual([null, { here: 1 }]);
  const { token } = await app.sessions.start(both.request());
  const bearer = new Visitor(app, undefined);
  bearer.bearer = token;
  bearer.headers.cookie = "old=one";
  expect((await look(bearer)).result?.[1]).toBe(null);
  expect(old.reads).toBe(0);
  expect((await look(withOldCookie(app, "past"))).result).toEqual([undefined, null, {}]);
  expect(old.rows.has("past")).toBe(true);
});

test("S4 S29: a cookie that ends with the browser is set for an adopted session too", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp(), old, { cookiePersistent: false });
  old.rows.set("one", ann);
  const { setCookie } = await look(withOldCookie(app));
  expect(setCookie[0]).toMatch(/^session=[\w-]{64}; (?!.*Max-Age)/);
});

test("S1 S29: without its secret, nobody can derive a token; a short secret is refused", async () => {
  const old = new OldSystem();
  const app = adopting(await memoryApp(), old);
  old.rows.set("one", ann);
  const { setCookie } = await look(withOldCookie(app));
  const elsewhere = adopting(
    await memoryApp(),
    Object.assign(new OldSystem(), { secret: "another secret, as long", rows: old.rows }),
  );
  old.rows.set("one", ann);
  const other = await look(withOldCookie(elsewhere));
  expect(other.setCookie[0]?.slice(0, 72)).not.toBe(setCookie[0]?.slice(0, 72));
  expect(() => adopting(app, Object.assign(new OldSystem(), { secret: "short" }))).toThrow("or remove `adopt`");
});
