// Packages without a page of their own that sign in at a provider: where they keep their state, and how their user gets into the session.
// Add a package to tools.json, to the tests here, and to the table.
import { describe, expect, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { Client } from "./client.ts";
import { expectExplained, ROUTES, rowsOf, type Use } from "./packages.ts";
import { followRecipe, start } from "./project.ts";
import { type Provider, signInAtProvider, startProvider } from "./provider.ts";

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
