// What the three recipes that take old sessions over ask of a store, whichever it is: one that is written here has each kind of row.
import { createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";

const secrets = { newer: "the newer secret of the old app", older: "the older secret of the old app" };

const HOUR_MS = 3_600_000;

const store = (rows: string, get: string) => `
const rows: Record<string, object | undefined> = ${rows};
function find(id: string): object | undefined {
  if (id === "down") throw new Error("the old store is down");
  return rows[id];
}
export function oldStore() {
  return ${get};
}
`;

const withCookies = (row: (expires: number) => object) =>
  JSON.stringify({
    one: row(Date.now() + HOUR_MS),
    two: row(Date.now() + HOUR_MS),
    three: row(Date.now() + HOUR_MS),
    // Some stores remove what has expired from time to time, and give it out until then.
    expired: row(Date.now() - 1),
  });

const connect = {
  rows: withCookies((expires) => ({
    cookie: { originalMaxAge: 2 * HOUR_MS, expires: new Date(expires).toISOString() },
    passport: { user: "ada" },
  })),
  get: `{
    get(id: string, done: (error: unknown, session?: object) => void): void {
      try {
        done(null, find(id));
      } catch (error) {
        done(error);
      }
    },
    destroy: (_id: string, done: (error?: unknown) => void): void => done(),
  }`,
};

const sha256 = (secret: string, text: string) =>
  createHmac("sha256", secret).update(text).digest("base64").replace(/=+$/, "");

const recipes = [
  {
    page: "adopt-express-session",
    framework: "express",
    ...connect,
    several: [
      'secret: process.env.OLD_SESSION_SECRET ?? ""',
      'secret: (process.env.OLD_SESSION_SECRET ?? "").split(",")',
    ],
    cookie: (id: string, secret: string) => `connect.sid=${encodeURIComponent(`s:${id}.${sha256(secret, id)}`)}`,
    garbage: "connect.sid=s%3Ax.y",
  },
  {
    page: "adopt-fastify-session",
    framework: "fastify",
    rows: connect.rows.replaceAll('{"user":"ada"}', '"ada"'),
    get: connect.get,
    several: [
      'secret: process.env.OLD_SESSION_SECRET ?? ""',
      'secret: (process.env.OLD_SESSION_SECRET ?? "").split(",")',
    ],
    cookie: (id: string, secret: string) => `sessionId=${encodeURIComponent(`${id}.${sha256(secret, id)}`)}`,
    garbage: "sessionId=x.y",
  },
  {
    page: "adopt-koa-session",
    framework: "koa",
    rows: withCookies((expires) => ({ _expire: expires, _maxAge: 2 * HOUR_MS, passport: { user: "ada" } })),
    get: "{ get: async (key: string) => find(key) as Record<string, unknown> | undefined, destroy: async () => undefined }",
    several: ['keys: [process.env.OLD_KEY ?? ""]', 'keys: (process.env.OLD_KEY ?? "").split(",")'],
    cookie: (id: string, secret: string) => {
      const signature = createHmac("sha1", secret).update(`koa.sess=${id}`).digest("base64url");
      return `koa.sess=${id}; koa.sess.sig=${signature}`;
    },
    garbage: "koa.sess=x; koa.sess.sig=y",
  },
];

test.each(recipes)(
  "S29: $page takes each of several secrets, the old idle timeout, nothing expired, and waits for a store that is down",
  async ({ page, framework, rows, get, several, cookie, garbage }) => {
    const project = await followRecipe({ page, framework, files: { "src/old-store.ts": store(rows, get) } });
    const main = join(project, "src/main.ts");
    const text = readFileSync(main, "utf8");
    const [one = "", list = ""] = several;
    expect(text).toContain(one);
    writeFileSync(main, text.replace(one, list));
    const old = `${secrets.newer},${secrets.older}`;
    const { url } = await start(project, { OLD_SESSION_SECRET: old, OLD_KEY: old });
    const adopted = (header: string) => new Client(url).get("/session", { cookie: header });

    for (const header of [
      cookie("one", secrets.newer),
      cookie("two", secrets.older),
      // A cookie of the same name, such as one of a parent domain, comes first.
      `${garbage}; ${cookie("three", secrets.newer)}`,
    ]) {
      const { status, json, headers } = await adopted(header);
      expect([header, status]).toEqual([header, 200]);
      expect(json).toMatchObject({ userid: "ada", idle: 7200 });
      expect(headers.getSetCookie()).toContainEqual(expect.stringMatching(/^session=[\w-]{64};/));
    }
    expect((await adopted(cookie("one", "a secret of somebody else's"))).status).toBe(404);
    const expired = await adopted(cookie("expired", secrets.newer));
    expect([expired.status, expired.headers.get("set-cookie")]).toEqual([404, null]);
    // Nobody is signed out because the old store can't be asked.
    const waiting = await adopted(cookie("down", secrets.newer));
    expect([waiting.status, waiting.headers.get("set-cookie")]).toEqual([503, null]);
    expect(Number(waiting.headers.get("retry-after"))).toBeGreaterThan(0);
  },
);
