// Packages that the table of docs/recipes names without a page of their own: what each needs, and what it says without it.
// Add a package to tools.json, to the list of its kind here, and to the table.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { Client } from "./client.ts";
import { recipes } from "./page.ts";
import { followRecipe, type Running, start } from "./project.ts";
import { type Provider, signInAtProvider, startProvider } from "./provider.ts";

const ada = { userid: "ada", password: "demo" };

/** The project's routes, which leave everything to JavaScript, as packages without types and older examples do. */
const ROUTES: Record<string, string> = {
  express: `import { createRequire } from "node:module";
import type { Express } from "express";
export function addRoutes(app: Express): void {
  createRequire(import.meta.url)("./packages.mjs").default(app);
}
`,
  fastify: `import type { FastifyInstance } from "fastify";
export async function routes(app: FastifyInstance): Promise<void> {
  const path = "./packages.mjs";
  await (await import(path)).default(app);
}
`,
  koa: `import { createRequire } from "node:module";
import Router from "@koa/router";
export function routes(): Router {
  const router = new Router();
  createRequire(import.meta.url)("./packages.mjs").default(router);
  return router;
}
`,
  hono: `import { createRequire } from "node:module";
import { Hono } from "hono";
import type { AppEnv } from "./http/body.ts";
export function routes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  createRequire(import.meta.url)("./packages.mjs").default(app);
  return app;
}
`,
};

interface Use {
  framework: string;
  /** The page of the table's row; without one the package is used as it is. */
  page?: string | undefined;
  code: string;
  variables?: Record<string, string>;
}

async function startWith({ framework, page, code, variables }: Use): Promise<Running> {
  const files = { "src/routes.ts": ROUTES[framework] ?? "", "src/packages.mjs": code };
  return start(await followRecipe({ page, framework, files }), variables);
}

/** What each of these packages writes to the session without its recipe is refused, by name and with what to write instead. */
async function expectExplained(use: Use, path: string, key: string): Promise<void> {
  const app = await startWith({ ...use, page: undefined });
  const client = new Client(app.url);
  expect((await client.get(path)).status).toBe(500);
  await app.printed(
    new RegExp(`session\\.${key} was set, but only session\\.data is stored: use session\\.data\\.${key}`),
  );
  expect(client.cookie).toBe("");
}

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
  const key = (session: string) => `${session}.id ?? ${session}.ipaddress`;
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
    const { url } = await startWith({ framework, code });
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
  });
});

describe("S13 S25: sign-in at a provider", () => {
  const grants = [
    {
      framework: "express",
      page: "express-session",
      code: `import grant from "grant";
export default (app) => {
  app.use(grant.express(JSON.parse(process.env.GRANT)));
  app.get("/done", async ({ session }, response) => {
    const { iss, sub } = session.grant.response.jwt.id_token.payload;
    delete session.grant;
    await session.signIn(iss + " " + sub);
    response.redirect("/session");
  });
};
`,
    },
    {
      framework: "fastify",
      page: "fastify-session",
      code: `import grant from "grant";
export default async (app) => {
  await app.register(grant.fastify(JSON.parse(process.env.GRANT)));
  app.get("/done", async ({ session }, reply) => {
    const { iss, sub } = session.grant.response.jwt.id_token.payload;
    delete session.grant;
    await session.signIn(iss + " " + sub);
    return reply.redirect("/session");
  });
};
`,
    },
    {
      framework: "koa",
      page: "koa-session",
      code: `import grant from "grant";
export default (router) => {
  router.get("/connect/:provider{/:override}", grant.koa(JSON.parse(process.env.GRANT)));
  router.get("/done", async (ctx) => {
    const { iss, sub } = ctx.session.grant.response.jwt.id_token.payload;
    delete ctx.session.grant;
    await ctx.session.signIn(iss + " " + sub);
    ctx.redirect("/session");
  });
};
`,
    },
  ];

  test.each(grants)(
    "S13 S25: grant in $framework keeps its state in the session",
    async ({ framework, page, code }) => {
      expect(rowsOf("grant").join()).toContain(`](${page}.md)`);
      await withProvider("/connect/oidc/callback", { framework, page, code }, async (url, provider) => {
        const browser = new Client(url);
        await browser.send("PUT", "/session/data/cart", '{"value":[1]}', { "content-type": "application/json" });
        const before = browser.cookie;
        const { json } = await signInAtProvider(browser, "/connect/oidc", "ada");
        expect(json).toMatchObject({ userid: `${provider.issuer} ada`, data: { cart: [1] } });
        expect(json.data).not.toHaveProperty("grant");
        expect(browser.cookie).not.toContain(before.slice(-42));
        // A response that this browser hasn't asked for.
        const victim = new Client(url);
        await victim.get("/connect/oidc");
        await victim.get("/connect/oidc/callback?code=stolen&state=invented");
        expect((await victim.get("/done")).status).toBe(500);
        expect((await victim.get("/session")).json.userid).toBe(null);
      });
    },
  );

  test("S25: grant without its recipe is told what to write", async () => {
    const [use] = grants;
    const GRANT = JSON.stringify(grantAt("http://localhost", "http://localhost"));
    if (use !== undefined) await expectExplained({ ...use, variables: { GRANT } }, "/connect/oidc", "grant");
  });

  test("S13: @fastify/oauth2 has cookies of its own for the way there, and its user signs in to the session", async () => {
    const code = `import oauth2 from "@fastify/oauth2";
export default async (app) => {
  const { defaults, oidc } = JSON.parse(process.env.GRANT);
  const auth = { tokenHost: new URL(oidc.access_url).origin, tokenPath: "/token", authorizePath: "/auth" };
  await app.register(oauth2, {
    name: "provider",
    scope: ["openid"],
    credentials: { client: { id: oidc.key, secret: oidc.secret }, auth, options: { authorizationMethod: "body" } },
    startRedirectPath: "/oauth/login",
    callbackUri: defaults.origin + "/oauth/return",
    pkce: "S256",
    cookie: { secure: false },
  });
  app.get("/oauth/return", async (request, reply) => {
    const { token } = await app.provider.getAccessTokenFromAuthorizationCodeFlow(request, reply);
    const { iss, sub } = JSON.parse(Buffer.from(token.id_token.split(".")[1], "base64url"));
    await request.session.signIn(iss + " " + sub);
    return reply.redirect("/session");
  });
};
`;
    await withProvider("/oauth/return", { framework: "fastify", code }, async (url, provider) => {
      const browser = new Client(url);
      expect((await signInAtProvider(browser, "/oauth/login", "ada")).json.userid).toBe(`${provider.issuer} ada`);
      expect((await browser.get("/sessions")).json).toHaveLength(1);
      const victim = new Client(url);
      await victim.get("/oauth/login");
      expect((await victim.get("/oauth/return?code=stolen&state=invented")).status).toBe(500);
      expect((await victim.get("/session")).status).toBe(404);
    });
  });

  test("S13: express-openid-connect keeps its own cookie, and its user signs in to the session", async () => {
    const code = `import oidc from "express-openid-connect";
export default (app) => {
  const { defaults, oidc: client } = JSON.parse(process.env.GRANT);
  app.use(oidc.auth({
    authRequired: false,
    issuerBaseURL: new URL(client.access_url).origin,
    baseURL: defaults.origin,
    clientID: client.key,
    clientSecret: client.secret,
    clientAuthMethod: "client_secret_post",
    secret: "a secret of the app's own, 32 characters",
    authorizationParams: { response_type: "code", scope: "openid" },
    routes: { login: "/oidc/login", logout: "/oidc/logout", callback: "/oidc/return" },
    async afterCallback(request, _response, session) {
      const { iss, sub } = JSON.parse(Buffer.from(session.id_token.split(".")[1], "base64url"));
      await request.session.signIn(iss + " " + sub);
      return session;
    },
  }));
  app.get("/both", (request, response) => response.json([request.oidc.user?.sub, request.session.userid]));
};
`;
    await withProvider("/oidc/return", { framework: "express", code }, async (url, provider) => {
      const browser = new Client(url);
      await signInAtProvider(browser, "/oidc/login", "ada");
      expect((await browser.get("/both")).json).toEqual(["ada", `${provider.issuer} ada`]);
      expect((await browser.get("/sessions")).json).toHaveLength(1);
      const victim = new Client(url);
      await victim.get("/oidc/login");
      expect((await victim.get("/oidc/return?code=stolen&state=invented")).status).toBe(400);
      expect((await victim.get("/session")).status).toBe(404);
    });
  });
});

interface GrantSettings {
  defaults: { origin: string };
  oidc: { access_url: string };
}

function grantAt(issuer: string, origin: string): GrantSettings {
  const oidc = {
    authorize_url: `${issuer}/auth`,
    access_url: `${issuer}/token`,
    oauth: 2,
    key: "my-app",
    secret: "a-secret-of-the-provider",
    scope: ["openid"],
    scope_delimiter: " ",
    response: ["tokens", "jwt"],
    callback: "/done",
  };
  return { defaults: { origin, ...{ transport: "session", state: true, nonce: true, pkce: true } }, oidc };
}

/** Runs the app beside a provider that sends its users back to that path. The app reads $GRANT. */
async function withProvider(
  path: string,
  use: Use,
  work: (url: string, provider: Provider) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const files = { "src/routes.ts": ROUTES[use.framework] ?? "", "src/packages.mjs": use.code };
  const project = await followRecipe({ page: use.page, framework: use.framework, files });
  const provider = await startProvider(project, { redirects: [origin + path] });
  try {
    const GRANT = JSON.stringify(grantAt(provider.issuer, origin));
    await work((await start(project, { PORT: String(port), GRANT })).url, provider);
  } finally {
    provider.close();
  }
}

/** The package's rows in the table. */
function rowsOf(name: string): string[] {
  const rows = readFileSync(join(recipes, "README.md"), "utf8").split("\n");
  return rows.filter((row) =>
    row
      .split("|")[1]
      ?.split(/[\s,]+/)
      .includes(name),
  );
}

/** The page that the package's row names. */
function pageOf(name: string): string | undefined {
  const [row] = rowsOf(name);
  if (row === undefined) throw new Error(`${name} has no row in the table`);
  return /\]\(([\w-]+)\.md\)/.exec(row)?.[1];
}
