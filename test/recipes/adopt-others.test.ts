// The sessions of @fastify/session and koa-session are taken over under load: none lost, none doubled, none more trusted.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { moveVisitors, withCookies } from "./moving.ts";
import { followRecipe, start } from "./project.ts";

const secret = "the secret of the old app, 32 bytes at least";

const besideOldApp = (use: string) => `
export async function oldStore() {
  const path = "./old-app.mjs";
  const { store, startOldApp } = await import(path);
  console.log("The old app is on " + (await startOldApp()) + ".");
  return ${use};
}
`;

const fastifyApp = `
import cookie from "@fastify/cookie";
import session from "@fastify/session";
import Fastify from "fastify";

export const store = new session.MemoryStore();

export async function startOldApp() {
  const app = Fastify();
  await app.register(cookie);
  await app.register(session, { store, secret: process.env.OLD_SESSION_SECRET, saveUninitialized: false, cookie: { secure: false, maxAge: 14 * 86_400_000 } });
  app.post("/old/login", async (request, reply) => {
    await request.session.regenerate();
    request.session.set("passport", request.body.userid);
    request.session.set("cart", request.body.cart);
    return reply.code(204).send();
  });
  app.post("/old/cart", async (request, reply) => {
    request.session.set("cart", request.body.cart);
    return reply.code(204).send();
  });
  return app.listen({ port: 0, host: "localhost" });
}
`;

const koaApp = `
import { once } from "node:events";
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import session from "koa-session";

const rows = new Map();
export const store = {
  get: async (key) => rows.get(key),
  set: async (key, session) => void rows.set(key, session),
  destroy: async (key) => void rows.delete(key),
};

export async function startOldApp() {
  const app = new Koa();
  app.keys = [process.env.OLD_KEY];
  app.use(session(process.env.OLD_STORE === "cookie" ? {} : { store }, app));
  app.use(bodyParser());
  app.use((ctx) => {
    const { userid, cart } = ctx.request.body;
    if (ctx.path === "/old/login") ctx.session.passport = { user: userid };
    ctx.session.cart = cart;
    ctx.status = 204;
  });
  const listening = app.listen(0, "localhost");
  await once(listening, "listening");
  return "http://localhost:" + listening.address().port;
}
`;

test("S29: @fastify/session's visitors are taken over, and nothing forged is", async () => {
  const files = { "src/old-app.mjs": fastifyApp, "src/old-store.ts": besideOldApp("store") };
  const project = await followRecipe({ page: "adopt-fastify-session", framework: "fastify", files });
  const app = await start(project, { OLD_SESSION_SECRET: secret });
  const [, oldUrl = ""] = await app.printed(/The old app is on (\S+)\./);
  await expectForgeriesRefused(app.url, oldUrl, "sessionId");
  await moveVisitors({ oldUrl, newUrl: app.url, oldCookie: "sessionId" });
});

test("S29: koa-session's visitors are taken over from its store, and nothing forged is", async () => {
  const files = { "src/old-app.mjs": koaApp, "src/old-store.ts": besideOldApp("store") };
  const project = await followRecipe({ page: "adopt-koa-session", framework: "koa", files });
  const app = await start(project, { OLD_KEY: secret });
  const [, oldUrl = ""] = await app.printed(/The old app is on (\S+)\./);
  await expectForgeriesRefused(app.url, oldUrl, "koa.sess");
  await moveVisitors({ oldUrl, newUrl: app.url, oldCookie: "koa.sess" });
});

test("S29: koa-session's visitors are taken over from the cookie itself, word for word by the page", async () => {
  const files = { "src/old-app.mjs": koaApp, "src/old-store.ts": besideOldApp("void store") };
  const project = await followRecipe({ page: "adopt-koa-session", framework: "koa", files });
  const app = await start(project, { OLD_KEY: secret, OLD_STORE: "cookie" });
  const [, oldUrl = ""] = await app.printed(/The old app is on (\S+)\./);
  await expectForgeriesRefused(app.url, oldUrl, "koa.sess");
  await moveVisitors({ oldUrl, newUrl: app.url, oldCookie: "koa.sess", revocable: false });
});

/** Cookies of somebody else's making, or with another one's signature, are nobody's. */
async function expectForgeriesRefused(url: string, oldUrl: string, name: string): Promise<void> {
  const [ada, grace] = [new Client(oldUrl), new Client(oldUrl)];
  await ada.post("/old/login", { userid: "ada", cart: [] });
  await grace.post("/old/login", { userid: "grace", cart: [] });
  const value = ada.cookies.get(name) ?? "";
  for (const forged of [value.slice(0, -1), value.slice(1), value.split(".")[0] ?? "", "%"]) {
    if (forged === value) continue;
    const cookies = new Map([...ada.cookies, [name, forged]]);
    expect([forged, (await withCookies(url, cookies).get("/session")).status]).toEqual([forged, 404]);
  }
  if (!ada.cookies.has(`${name}.sig`)) return;
  const mixed = new Map([...grace.cookies, [name, value]]);
  expect((await withCookies(url, mixed).get("/session")).status).toBe(404);
  expect((await withCookies(url, new Map([[name, value]])).get("/session")).status).toBe(404);
}
