// Koa's own ways of mounting apps.
// How Koa is held to what every framework must do is in adapters.test.ts.
import { createRequire } from "node:module";
import mount from "koa-mount";
import { expect, test } from "vitest";
import { sessionMiddleware } from "../../templates/frameworks/koa/files/src/session/adapter.ts";
import { write } from "./adapter.ts";
import { listen } from "./express.ts";
import { memoryApp } from "./memory.ts";
import { ask } from "./served.ts";
import type { App } from "./visitor.ts";

/** Koa as the pack has it. */
const pack = createRequire(new URL("../../templates/frameworks/koa/package.json", import.meta.url));
const Koa = pack("koa") as typeof import("koa");

const handle: import("koa").Middleware = (ctx) => {
  write(ctx.session);
  ctx.body = "hello";
};

const shapes: [string, (app: App) => import("koa")][] = [
  [
    "on a mounted app only",
    ({ sessions }) => new Koa().use(mount("/x", new Koa().use(sessionMiddleware(sessions)).use(handle))),
  ],
  [
    "on the outer app only",
    ({ sessions }) => new Koa().use(sessionMiddleware(sessions)).use(mount("/x", new Koa().use(handle))),
  ],
  [
    "on both",
    ({ sessions }) => {
      const inner = new Koa().use(sessionMiddleware(sessions)).use(handle);
      return new Koa().use(sessionMiddleware(sessions)).use(mount("/x", inner));
    },
  ],
  ["as mounted middleware", ({ sessions }) => new Koa().use(mount("/x", sessionMiddleware(sessions))).use(handle)],
  [
    "two mounts deep",
    ({ sessions }) =>
      new Koa().use(mount("/x", new Koa().use(mount("/", new Koa().use(sessionMiddleware(sessions)).use(handle))))),
  ],
];

test.each(shapes)("S26: the middleware %s gives handlers a session", async (_, build) => {
  const app = await memoryApp();
  const reply = await ask(app, `${await listen(build(app).callback())}/x`);
  expect(reply).toMatchObject({ status: 200, body: "hello", stored: [{ here: 1 }], cookie: expect.any(String) });
  expect(reply.headers["set-cookie"]).toHaveLength(1);
});

test("S26: one app of the process has sessions, another has its own ctx.session", async () => {
  const app = await memoryApp();
  const ours = new Koa().use(sessionMiddleware(app.sessions)).use(handle);
  const theirs = new Koa().use((ctx) => {
    (ctx as unknown as { session: unknown }).session = "theirs";
    ctx.body = ctx.session as never;
  });
  expect((await ask(app, await listen(ours.callback()))).body).toBe("hello");
  expect((await ask(app, await listen(theirs.callback()))).body).toBe("theirs");
});

test("S16: app.proxy without SESSION_TRUST_PROXY is warned of, once", async () => {
  const app = await memoryApp();
  const url = await listen(new Koa({ proxy: true }).use(sessionMiddleware(app.sessions)).use(handle).callback());
  for (let count = 0; count < 2; count++) await ask(app, url);
  const warnings = app.events.filter(({ type }) => type === "warning");
  expect(warnings).toEqual([{ type: "warning", message: expect.stringContaining("SESSION_TRUST_PROXY") }]);
});
