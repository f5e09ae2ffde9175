// Packages that the table of docs/recipes names without a page of their own: what each needs, and what it says without it.
// Add a package to tools.json, to the list of its kind here, and to the table.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Client } from "./client.ts";
import { expectExplained, pageOf, rowsOf, startWith } from "./packages.ts";

const ada = { userid: "ada", password: "demo" };

test("the table says which versions are tested here", () => {
  const tools: Record<string, string[]> = JSON.parse(readFileSync(join(import.meta.dirname, "tools.json"), "utf8"));
  const pinned = Object.values(tools).flatMap((list) => list.map((each) => /^(.+)@(\d+\.\d+\.\d+)$/.exec(each)));
  // These are the other end, or an alias.
  const others = /^samlp$|@npm:/;
  const found = pinned.flatMap((match) => (match === null || others.test(match[1] ?? "") ? [] : [match]));
  expect(found.length).toBeGreaterThan(10);
  for (const [, name = "", version = ""] of found) expect(rowsOf(name).join(), name).toContain(version);
});

describe("S17 S25: tokens against forged forms", () => {
  const packages = [
    {
      name: "csurf",
      key: "csrfSecret",
      code: `import csurf from "csurf";
export default (app) => {
  app.use("/protected", csurf());
  app.get("/protected/token", (request, response) => response.json({ token: request.csrfToken() }));
  app.post("/protected/transfer", (request, response) => response.json({ transferred: request.body.amount }));
};
`,
    },
    {
      name: "lusca",
      key: "_csrfSecret",
      // Its errors have no status.
      refusal: 500,
      code: `import lusca from "lusca";
export default (app) => {
  app.use("/protected", lusca.csrf());
  app.get("/protected/token", (request, response) => response.json({ token: request.csrfToken() }));
  app.post("/protected/transfer", (request, response) => response.json({ transferred: request.body.amount }));
};
`,
    },
  ];
  const asItIs = [
    {
      name: "csrf-csrf",
      code: `import cookieParser from "cookie-parser";
import { doubleCsrf } from "csrf-csrf";
const { generateCsrfToken, doubleCsrfProtection } = doubleCsrf({
  getSecret: () => "a secret of the app",
  getSessionIdentifier: (request) => request.session.id,
  getCsrfTokenFromRequest: (request) => request.body._csrf ?? request.headers["x-csrf-token"],
  cookieName: "csrf",
  cookieOptions: { secure: false },
});
export default (app) => {
  app.use("/protected", cookieParser());
  app.get("/protected/token", async (request, response) => {
    request.session.start();
    await request.session.save();
    response.json({ token: generateCsrfToken(request, response) });
  });
  app.post("/protected/transfer", doubleCsrfProtection, (request, response) => response.json({ transferred: request.body.amount }));
};
`,
    },
  ];

  test.each<{ name: string; code: string; refusal?: number }>([...packages, ...asItIs])(
    "S17 S25: $name takes its own session's tokens only",
    async ({ name, code, refusal = 403 }) => {
      const page = pageOf(name);
      const { url } = await startWith({ framework: "express", page, code });
      const [browser, other] = [new Client(url), new Client(url)];
      const { token } = (await browser.get("/protected/token")).json;
      const foreign = (await other.get("/protected/token")).json.token;
      const transfer = (_csrf: string) => browser.form("/protected/transfer", { amount: "5", _csrf });
      expect((await transfer("")).status).toBe(refusal);
      expect((await transfer(foreign)).status).toBe(refusal);
      expect((await transfer(token)).json).toEqual({ transferred: "5" });
    },
  );

  test.each(packages)("S25: $name without its recipe is told what to write", ({ code, key }) =>
    expectExplained({ framework: "express", code }, "/protected/token", key),
  );
});

describe("S25: pages to return to", () => {
  test("S25: connect-ensure-login remembers the page, and Passport returns to it", async () => {
    const code = `import { ensureLoggedIn } from "connect-ensure-login";
import passport from "passport";
export default (app) => {
  app.get("/private", ensureLoggedIn("/sign-in"), (request, response) => response.json({ user: request.user }));
  app.post("/sign-in", passport.authenticate("local", { keepSessionInfo: true, successReturnToOrRedirect: "/" }));
};
`;
    const page = pageOf("connect-ensure-login");
    const { url } = await startWith({ framework: "express", page, code });
    const browser = new Client(url);
    const refused = await browser.get("/private?a=1");
    expect([refused.status, refused.headers.get("location")]).toEqual([302, "/sign-in"]);
    const signedIn = await browser.post("/sign-in", { username: "ada", password: "demo" });
    expect([signedIn.status, signedIn.headers.get("location")]).toEqual([302, "/private?a=1"]);
    expect((await browser.get("/private")).json).toEqual({ user: { id: "ada" } });
    expect((await browser.get("/session")).json).toMatchObject({ userid: "ada", data: { passport: { user: "ada" } } });
    expect((await browser.get("/session")).json.data).not.toHaveProperty("returnTo");
  });
});

describe("S28: limits that count a session, or an address where there is none", () => {
  const [row = ""] = rowsOf("express-rate-limit");
  const [, inTable = ""] = /a key of `([^`]+)`/.exec(row) ?? [];
  /** The table's key, for wherever the framework has the session. */
  const key = (session: string) => inTable.replaceAll("session.", `${session}.`);
  const limits = [
    {
      name: "express-rate-limit",
      framework: "express",
      code: `import { rateLimit } from "express-rate-limit";
export default (app) => {
  const limit = rateLimit({ windowMs: 60_000, limit: 5, validate: { keyGeneratorIpFallback: false }, keyGenerator: ({ session }) => ${key("session")} });
  app.get("/limited", limit, (_request, response) => response.json({}));
};
`,
    },
    {
      name: "@fastify/rate-limit",
      framework: "fastify",
      code: `import rateLimit from "@fastify/rate-limit";
export default async (app) => {
  await app.register(rateLimit, { global: false });
  const config = { rateLimit: { max: 5, timeWindow: 60_000, keyGenerator: ({ session }) => ${key("session")} } };
  app.get("/limited", { config }, async () => ({}));
};
`,
    },
    {
      name: "koa-ratelimit",
      framework: "koa",
      code: `import limit from "koa-ratelimit";
export default (router) => {
  const each = limit({ driver: "memory", db: new Map(), duration: 60_000, max: 5, id: ({ session }) => ${key("session")} });
  router.get("/limited", each, (ctx) => {
    ctx.body = {};
  });
};
`,
    },
    {
      name: "hono-rate-limiter",
      framework: "hono",
      code: `import { rateLimiter } from "hono-rate-limiter";
export default (app) => {
  app.get("/limited", rateLimiter({ windowMs: 60_000, limit: 5, keyGenerator: (c) => ${key("c.var.session")} }), (c) => c.json({}));
};
`,
    },
  ];

  test.each(limits)("S28: $name in $framework", async ({ framework, code }) => {
    const { url } = await startWith({ framework, code, variables: { SESSION_TRUST_PROXY: "127.0.0.1, ::1" } });
    const [signedIn, other, visitor] = [new Client(url), new Client(url), new Client(url)];
    const statuses = async (client: Client) => {
      const replies = await Promise.all(Array.from({ length: 7 }, () => client.get("/limited")));
      return replies.map(({ status }) => status).sort();
    };
    const limited = [200, 200, 200, 200, 200, 429, 429];
    await signedIn.post("/login", ada);
    await other.post("/login", ada);
    expect(await statuses(signedIn)).toEqual(limited);
    expect(await statuses(other)).toEqual(limited);
    expect(await statuses(visitor)).toEqual(limited);
    expect(visitor.cookie).toBe("");
    expect((await new Client(url).get("/limited")).status).toBe(429);
    expect((await new Client(url).get("/limited", { "x-forwarded-for": "192.0.2.1" })).status).toBe(200);
  });
});
