// express-session's sessions, in three stores, are taken over under load: none lost, none doubled, none more trusted.
import { describe, expect, test } from "vitest";
import { server } from "../servers/server.ts";
import { Client } from "./client.ts";
import { moveVisitors, withCookies } from "./moving.ts";
import { followRecipe, run, start } from "./project.ts";

const secret = "the secret of the old app";

/** The app before the move: Express, express-session, and what Passport leaves in a session. */
const oldApp = `
import { once } from "node:events";
import pgSimple from "connect-pg-simple";
import express from "express";
import session from "express-session";

export const stores = {
  memory: () => new session.MemoryStore(),
  postgres: () => {
    const conString = process.env.OLD_POSTGRES_URL;
    return new (pgSimple(session))({ conString, createTableIfMissing: true, pruneSessionInterval: false });
  },
  redis: async () => (await import("./old-store.ts")).oldStore(),
};

export async function startOldApp(store) {
  const app = express();
  const cookie = { maxAge: 14 * 86_400_000 };
  const secret = [process.env.OLD_SESSION_SECRET || "none"];
  app.use(session({ store, secret, resave: false, saveUninitialized: false, cookie }));
  app.use(express.json());
  app.post("/old/login", (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error);
      if (request.body.maxAge) request.session.cookie.maxAge = request.body.maxAge;
      Object.assign(request.session, { passport: { user: request.body.userid }, cart: request.body.cart });
      response.sendStatus(204);
    });
  });
  app.post("/old/cart", (request, response) => {
    Object.assign(request.session, { cart: request.body.cart });
    response.sendStatus(204);
  });
  const listening = app.listen(0, "localhost");
  await once(listening, "listening");
  return "http://localhost:" + listening.address().port;
}

if (import.meta.main) console.log("Listening on " + (await startOldApp(await stores.redis())));
`;

/** A store in the new app's own process, with the old app beside it. */
const storeWithOldApp = (kind: string) => `
export async function oldStore() {
  const path = "./old-app.mjs";
  const { stores, startOldApp } = await import(path);
  const store = stores.${kind}();
  console.log("The old app is on " + (await startOldApp(store)) + ".");
  return store;
}
`;

const recipe = { page: "adopt-express-session", framework: "express" };

describe("S29: express-session's visitors are taken over", () => {
  test("S29: from MemoryStore", async () => {
    const files = { "src/old-app.mjs": oldApp, "src/old-store.ts": storeWithOldApp("memory") };
    const app = await start(await followRecipe({ ...recipe, files }), { OLD_SESSION_SECRET: secret });
    const [, oldUrl = ""] = await app.printed(/The old app is on (\S+)\./);
    await moveVisitors({ oldUrl, newUrl: app.url, oldCookie: "connect.sid" });
  });

  test("S29: from connect-redis, while the old app is another process", async ({ skip }) => {
    const store = await server("redis");
    if (store === undefined) return skip();
    const project = await followRecipe({ ...recipe, files: { "src/old-app.mjs": oldApp } });
    const env = { OLD_SESSION_SECRET: secret, OLD_REDIS_URL: store.url };
    const old = await run(project, ["src/old-app.mjs"], { ...process.env, ...env });
    const app = await start(project, env);
    await moveVisitors({ oldUrl: old.url, newUrl: app.url, oldCookie: "connect.sid" });
  });

  test("S29: from connect-pg-simple", async ({ skip }) => {
    const store = await server("postgres");
    if (store === undefined) return skip();
    const files = { "src/old-app.mjs": oldApp, "src/old-store.ts": storeWithOldApp("postgres") };
    const project = await followRecipe({ ...recipe, files });
    const app = await start(project, { OLD_SESSION_SECRET: secret, OLD_POSTGRES_URL: store.url });
    const [, oldUrl = ""] = await app.printed(/The old app is on (\S+)\./);
    await moveVisitors({ oldUrl, newUrl: app.url, oldCookie: "connect.sid" });
  });

  test("S3 S29: nothing forged or expired is, and a secret is needed", async () => {
    const files = { "src/old-app.mjs": oldApp, "src/old-store.ts": storeWithOldApp("memory") };
    const project = await followRecipe({ ...recipe, files });
    await expect(start(project, { OLD_SESSION_SECRET: "" })).rejects.toThrow("16 characters");
    const app = await start(project, { OLD_SESSION_SECRET: secret });
    const [, oldUrl = ""] = await app.printed(/The old app is on (\S+)\./);
    const old = new Client(oldUrl);
    await old.post("/old/login", { userid: "ada", cart: [] });
    const genuine = decodeURIComponent(old.cookies.get("connect.sid") ?? "");
    const [id = "", signature = ""] = genuine.slice(2).split(".");
    const forged = [
      id,
      `s:${id}`,
      `s:${id}.`,
      `s:${id}.${signature.slice(0, -1)}`,
      `s:${id}x.${signature}`,
      `s:${id}.${signature}=`,
      `${id}.${signature}`,
      "s:%",
    ];
    for (const value of forged) {
      const cookies = new Map([["connect.sid", encodeURIComponent(value)]]);
      expect([value, (await withCookies(app.url, cookies).get("/session")).status]).toEqual([value, 404]);
    }
    expect((await withCookies(app.url, old.cookies).get("/session")).json.userid).toBe("ada");

    const expired = new Client(oldUrl);
    await expired.post("/old/login", { userid: "ada", cart: [], maxAge: 1 });
    expect(expired.cookie).toContain("connect.sid");
    expect((await withCookies(app.url, expired.cookies).get("/session")).status).toBe(404);
  });
});
