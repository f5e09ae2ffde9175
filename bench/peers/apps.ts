// The same four routes in each framework: without sessions, with ours, or with those of the peer that people pick for it.
// Add a framework here, or another peer for one.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { replies } from "../measuring/servers.ts";
import { type Bag, bagOf, NO_SESSION, peerPackage, routes, type Setting } from "./contender.ts";
import { expressPeer } from "./express-peers.ts";
import { timesByUser } from "./users.ts";

type MakeApp = (setting: Setting) => Promise<Server>;

export const apps: Record<string, MakeApp> = { express, fastify, hono, koa, node };

/** Our sessions in the project's store, as main.ts makes them. */
async function ours({ project, isFilled }: Setting) {
  const load = (path: string) => import(join(project, "src", path));
  const config = (await load("config.ts")).readConfig(process.env);
  const { createDriver } = await load("store/driver.ts");
  const { Sessions } = await load("session/sessions.ts");
  const sessions = new Sessions({
    driver: createDriver(config.store, config.session.storeTimeout),
    settings: config.session,
  });
  await sessions.ready(isFilled ? "manual" : "auto", config.startTimeout, console.error);
  replies.purge = () => sessions.purge();
  replies.users = (users: string[]) => timesByUser(sessions, users);
  return { sessions, adapter: await load("session/adapter.ts"), errors: () => load("http/error-handler.ts") };
}

const packageOf = (project: string, name: string) => createRequire(join(project, "package.json"))(name);

async function express(setting: Setting): Promise<Server> {
  const app = packageOf(setting.project, "express")();
  app.disable("x-powered-by");
  app.disable("etag");
  let bag: (request: { session: object & { data: object } }) => Bag = () => NO_SESSION;
  if (setting.who === "ours") {
    const { sessions, adapter } = await ours(setting);
    app.use(adapter.sessionMiddleware(sessions));
    bag = (request) => bagOf(request.session.data);
  } else if (setting.who === "empty middleware") {
    app.use((_request: never, _response: never, next: () => void) => next());
  } else if (setting.who !== "bare") {
    app.use(await expressPeer(setting));
    // Its session object is the data itself.
    bag = (request) => bagOf(request.session);
  }
  for (const [path, respond] of Object.entries(routes)) {
    app.get(path, (request: never, response: { json(value: object): void }) =>
      response.json(respond(() => bag(request))),
    );
  }
  return createServer(app);
}

async function fastify(setting: Setting): Promise<Server> {
  const app = packageOf(setting.project, "fastify")();
  let bag: (request: { session: Bag & { data: object } }) => Bag = () => NO_SESSION;
  if (setting.who === "ours") {
    const { sessions, adapter, errors } = await ours(setting);
    await app.register(adapter.sessionPlugin, { sessions, respondToRawError: (await errors()).respondToRawError });
    bag = (request) => bagOf(request.session.data);
  } else if (setting.who === "empty middleware") {
    app.addHook("onRequest", (_request: never, _reply: never, done: () => void) => done());
    app.addHook("onSend", (_request: never, _reply: never, _payload: never, done: () => void) => done());
  } else if (setting.who === "@fastify/session") {
    await app.register((await peerPackage("@fastify/cookie")).default);
    const secret = "a secret of the thirty-two characters that it wants";
    const options = { secret, cookie: { secure: false, maxAge: 86_400_000 }, saveUninitialized: false };
    await app.register((await peerPackage("@fastify/session")).default, options);
    bag = (request) => request.session;
  }
  for (const [path, respond] of Object.entries(routes))
    app.get(path, async (request: never) => respond(() => bag(request)));
  await app.ready();
  return app.server;
}

async function hono(setting: Setting): Promise<Server> {
  const { Hono } = packageOf(setting.project, "hono");
  const { createAdaptorServer } = packageOf(setting.project, "@hono/node-server");
  const app = new Hono();
  type Context = { var: { session: Bag & { data: object } }; json(value: object): Response };
  let bag: (c: Context) => Bag = () => NO_SESSION;
  if (setting.who === "ours") {
    const { sessions, adapter } = await ours(setting);
    app.use(adapter.sessionMiddleware(sessions));
    bag = (c) => bagOf(c.var.session.data);
  } else if (setting.who === "empty middleware") {
    app.use(async (_c: never, next: () => Promise<void>) => {
      await next();
    });
  } else if (setting.who === "hono-sessions") {
    const { MemoryStore, sessionMiddleware } = await peerPackage("hono-sessions");
    app.use(
      sessionMiddleware({
        store: new MemoryStore(),
        encryptionKey: "a password of at least thirty-two characters",
        expireAfterSeconds: 86_400,
        cookieOptions: { path: "/", httpOnly: true, sameSite: "Lax" },
      }),
    );
    bag = (c) => c.var.session;
  }
  for (const [path, respond] of Object.entries(routes)) app.get(path, (c: Context) => c.json(respond(() => bag(c))));
  return createAdaptorServer({ fetch: app.fetch });
}

async function koa(setting: Setting): Promise<Server> {
  const app = new (packageOf(setting.project, "koa"))();
  type Context = { session: object & { data: object }; path: string; body: object };
  let bag: (ctx: Context) => Bag = () => NO_SESSION;
  if (setting.who === "ours") {
    const { sessions, adapter } = await ours(setting);
    app.use(adapter.sessionMiddleware(sessions));
    bag = (ctx) => bagOf(ctx.session.data);
  } else if (setting.who === "empty middleware") {
    app.use((_ctx: never, next: () => Promise<void>) => next());
  } else if (setting.who === "koa-session") {
    app.keys = ["a secret"];
    const rows = new Map<string, string>();
    const store = {
      get: async (id: string) => JSON.parse(rows.get(id) ?? "null"),
      set: async (id: string, session: object) => void rows.set(id, JSON.stringify(session)),
      destroy: async (id: string) => void rows.delete(id),
    };
    const { createSession } = await peerPackage("koa-session");
    app.use(createSession({ store, maxAge: 86_400_000 }, app));
    bag = (ctx) => bagOf(ctx.session);
  }
  app.use((ctx: Context) => {
    const respond = routes[ctx.path];
    if (respond !== undefined) ctx.body = respond(() => bag(ctx));
  });
  return createServer(app.callback());
}

async function node(setting: Setting): Promise<Server> {
  const respond = (request: IncomingMessage, response: ServerResponse, session: () => Bag) => {
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.end(JSON.stringify(routes[request.url ?? ""]?.(session)));
  };
  if (setting.who === "bare") return createServer((request, response) => respond(request, response, () => NO_SESSION));
  const { sessions, adapter, errors } = await ours(setting);
  type Exchange = { request: IncomingMessage; response: ServerResponse; session: { data: object } };
  const handle = (exchange: Exchange) =>
    respond(exchange.request, exchange.response, () => bagOf(exchange.session.data));
  return createServer(adapter.withSessions(sessions, handle, (await errors()).respondToError));
}
