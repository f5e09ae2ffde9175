// The conventions of express-session, @fastify/session and koa-session on generated sessions, as packages and old code use them.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";

/** What code written for the old session does; `session` is whatever the framework shows it. */
const idioms = `
// biome-ignore lint/suspicious/noExplicitAny: code that was JavaScript.
export const idioms: Record<string, (session: any) => unknown> = {
  views(session) {
    session.views = (session.views || 0) + 1;
    session.nested ??= {};
    session.nested.deep = session.views;
    const seen = [];
    for (const key in session) seen.push(key);
    return [session.views, Object.keys(session), seen, session.hasOwnProperty("views"), "views" in session, session.missing];
  },
  methods: (session) => typeof Object.getPrototypeOf(session).save,
  count: (session) => [session.length, session.populated],
  remove(session) {
    delete session.views;
    delete session.nested.deep;
  },
  remember(session) {
    const timed = "isNew" in session ? session : session.cookie;
    timed.maxAge = 120_000;
    return timed.maxAge;
  },
  browserSession(session) {
    ("isNew" in session ? session : session.cookie).maxAge = null;
  },
  regenerate: (session) => new Promise((resolve, reject) => session.regenerate((error: unknown) => (error ? reject(error) : resolve("regenerated")))),
  save: (session) => new Promise((resolve, reject) => session.save((error: unknown) => (error ? reject(error) : resolve("saved")))),
  reload: (session) => new Promise((resolve, reject) => session.reload((error: unknown) => (error ? reject(error) : resolve("reloaded")))),
  destroy: (session) => new Promise((resolve, reject) => session.destroy((error: unknown) => (error ? reject(error) : resolve("destroyed")))),
  signIn: (session) => new Promise((resolve) => {
    session.passport = session.get === undefined ? { user: 7 } : 7;
    session.save(resolve);
  }),
  signOut(session) {
    if (session.get === undefined) delete session.passport.user;
    else session.set("passport", undefined);
  },
  object(session) {
    session.passport = session.get === undefined ? { user: { name: "Ada" } } : { name: "Ada" };
    session.views = 1;
  },
};
`;

const routes: Record<string, string> = {
  express: `import type { Express } from "express";
import { idioms } from "./idioms.ts";
export function addRoutes(app: Express): void {
  app.post("/idioms/:name", async (request, response) => {
    response.json({ result: (await idioms[request.params.name]?.(request.session)) ?? null });
  });
}
`,
  fastify: `import type { FastifyInstance } from "fastify";
import { idioms } from "./idioms.ts";
export async function routes(app: FastifyInstance): Promise<void> {
  app.post<{ Params: { name: string } }>("/idioms/:name", async (request) => {
    return { result: (await idioms[request.params.name]?.(request.session)) ?? null };
  });
}
`,
  koa: `import Router from "@koa/router";
import { idioms } from "./idioms.ts";
export function routes(): Router {
  const router = new Router();
  router.post("/idioms/:name", async (ctx) => {
    ctx.body = { result: (await idioms[ctx.params.name as string]?.(ctx.session)) ?? null };
  });
  router.post("/null", (ctx) => {
    Object.assign(ctx, { session: null });
    ctx.body = { gone: ctx.session === null };
  });
  return router;
}
`,
};

test.each([
  { page: "express-session", framework: "express" },
  { page: "fastify-session", framework: "fastify" },
  { page: "koa-session", framework: "koa" },
])(
  "S13 S14 S25: code written for $page keeps its data, its callbacks are called, its user is known",
  async (recipe) => {
    const files = { "src/routes.ts": routes[recipe.framework] ?? "", "src/idioms.ts": idioms };
    const { url } = await start(await followRecipe({ ...recipe, files }));
    const browser = new Client(url);
    const call = async (name: string) => (await browser.post(`/idioms/${name}`)).json.result;
    const session = async () => (await browser.get("/session")).json;

    await call("views");
    const keys = ["views", "nested"];
    expect(await call("views")).toEqual([2, keys, keys, true, true, null]);
    expect((await session()).data).toEqual({ views: 2, nested: { deep: 2 } });
    expect(await call("methods")).toBe("function");
    if (recipe.framework === "koa") expect(await call("count")).toEqual([2, true]);
    await call("remove");
    expect((await session()).data).toEqual({ nested: {} });

    expect(await call("remember")).toBe(120_000);
    expect((await session()).idle).toBe(120);
    const refused = await browser.post("/idioms/browserSession");
    expect(refused.status).toBe(500);

    expect(await call("save")).toBe("saved");
    if (recipe.framework !== "koa") expect(await call("reload")).toBe("reloaded");
    await call("signIn");
    expect((await session()).userid).toBe("7");
    expect((await browser.get("/sessions")).json).toHaveLength(1);
    await call("signOut");
    expect((await session()).userid).toBe(null);
    await call("views");
    // A user's object would make everybody the user "[object Object]".
    expect((await browser.post("/idioms/object")).status).toBe(500);
    expect((await session()).data.passport?.user).toBeUndefined();

    const old = new Client(url);
    old.cookies.set("session", browser.cookies.get("session") ?? "");
    // A guest's token is replaced as well.
    await call("regenerate");
    expect((await old.get("/session")).status).toBe(404);
    old.cookies.set("session", browser.cookies.get("session") ?? "");
    await call("signIn");
    expect(await call("regenerate")).toBe("regenerated");
    expect(await session()).toMatchObject({ userid: null, data: {} });
    expect((await old.get("/session")).status).toBe(404);

    expect(
      await (recipe.framework === "koa" ? browser.post("/null").then(({ json }) => json.gone) : call("destroy")),
    ).toBe(recipe.framework === "koa" ? true : "destroyed");
    expect((await browser.get("/session")).status).toBe(404);
    expect(browser.cookie).toBe("");
  },
);
