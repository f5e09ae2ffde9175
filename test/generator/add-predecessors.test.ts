// `add` on apps that have sessions of another package: nobody is signed out, old code goes on working, each use is named.
// Change it when sessions of another package can be taken over.
import { describe, expect, test } from "vitest";
import { server } from "../servers/server.ts";
import { appOf, Browser, checkSessions } from "./apps.ts";

const MINUTES = 60_000;

/** Signs in before sessions are added, so that the same browser can come back afterwards. */
async function visitOld(url: string): Promise<Browser> {
  const browser = new Browser(url);
  await browser.post("/visit");
  await browser.post("/login");
  expect(await browser.get("/me")).toBe("ada 1");
  return browser;
}

async function comeBack(old: Browser, url: string, name: string): Promise<void> {
  const browser = new Browser(url, old.cookie);
  expect(await browser.get("/me")).toBe("ada 1");
  expect(browser.cookie).toMatch(/(^|; )session=[\w-]{64}$/);
  expect(browser.cookie).not.toContain(`${name}=`);
  await browser.post("/visit");
  expect(await browser.get("/me")).toBe("ada 2");
  const newcomer = new Browser(url);
  await newcomer.post("/visit");
  await newcomer.post("/login");
  expect(newcomer.cookie).not.toContain(`${name}=`);
  expect(await newcomer.get("/me")).toBe("ada 1");
  await newcomer.post("/logout");
  expect(await newcomer.get("/me")).toBe("nobody 0");
}

const MANIFEST = (dependencies: object, more: object = {}) =>
  `${JSON.stringify({ name: "old", scripts: { start: "node app.js" }, dependencies, ...more }, null, 2)}\n`;

/** A store that another session package is given, and that outlives a restart. */
const FILE_STORE = `const fs = require('fs')
const read = () => JSON.parse(fs.existsSync('old.json') ? fs.readFileSync('old.json', 'utf8') : '{}')
const write = (change) => { const all = read(); change(all); fs.writeFileSync('old.json', JSON.stringify(all)) }
module.exports = {
  get(id, done) { done(null, read()[id] || null) },
  set(id, session, done) { write((all) => { all[id] = session }); done(null) },
  destroy(id, done) { write((all) => { delete all[id] }); done(null) }
}
`;

describe("add", { timeout: 10 * MINUTES }, () => {
  test("L7 S29: an Express app with express-session goes on as it was, and nobody is signed out", async () => {
    const app = appOf({
      "package.json": MANIFEST({ express: "^5.0.0", "express-session": "^1.19.0", "session-file-store": "^1.5.0" }),
      "app.js": `const express = require('express')
const session = require('express-session')
const FileStore = require('session-file-store')(session)

const app = express()

app.use(express.json())
// A text that is the name of the import as well, as in passport.authenticate('session').
app.enable('session')
app.use(session({
  store: new FileStore({ path: './old', logFn() {} }),
  secret: process.env.SECRET || 'a secret that is long enough',
  name: 'sid',
  resave: false,
  saveUninitialized: false
}))

require('./routes')(app)

app.listen(process.env.PORT)
`,
      "routes.js": `module.exports = (app) => {
  app.get('/me', (req, res) => res.send(\`\${req.session.user || 'nobody'} \${req.session.visits || 0}\`))
  app.post('/visit', (req, res) => {
    req.session.visits = (req.session.visits || 0) + 1
    res.send('counted')
  })
  app.post('/login', (req, res, next) => {
    const visits = req.session.visits
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.user = 'ada'
      req.session.visits = visits
      req.session.save((error) => error ? next(error) : res.redirect(303, '/me'))
    })
  })
  app.post('/logout', (req, res, next) => req.session.destroy((error) => error ? next(error) : res.sendStatus(204)))
}
`,
    });
    await app.install();
    const old = await visitOld(await app.start());
    const routes = app.read("routes.js");
    const before = app.read("app.js");
    const { code, stdout, stderr } = await app.add("--json", "--backend", "sqlite", "--no-install");
    expect(code, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      wired: { file: "app.js", replaces: "express-session" },
      predecessor: "express-session",
    });
    const main = app.read("app.js");
    expect(
      main.replace(
        /^(?:const \{.*require\('\.\/src\/.*|const sessions .*|app\.use\(session(?:Middleware|View)\(.*)\n/gm,
        "",
      ),
    ).toBe(before.replace(/app\.use\(session\([\s\S]*?\}\)\)\n/, ""));
    expect(main).toContain(
      "store: new FileStore({ path: './old', logFn() {} }), secret: process.env.SECRET || 'a secret that is long enough', name: 'sid' })",
    );
    expect(app.read("routes.js")).toBe(routes);
    expect(document.uses).toContainEqual({
      file: "routes.js",
      line: 11,
      code: "req.session.user = 'ada'",
      counterpart: "await req.session.signIn(id), and req.session.userid",
    });
    expect(document.uses.map(({ line }: { line: number }) => line)).toEqual([2, 2, 4, 8, 9, 11, 12, 13, 16]);
    const again = await app.add("--json", "--backend", "sqlite");
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, files: [], paste: null });
    await app.install();
    await comeBack(old, await app.start(), "sid");
  });

  test("L7 S29: a Koa app with koa-session goes on as it was, and nobody is signed out", async () => {
    const app = appOf({
      "package.json": MANIFEST({ koa: "^3.0.0", "koa-session": "^7.0.2" }),
      "app.js": `const Koa = require('koa');
const { createSession } = require('koa-session');

const app = new Koa();
app.keys = [process.env.KEY || 'some secret hurr, long enough'];
app.use(createSession(app));

app.use(async (ctx) => {
  if (ctx.path === '/me') ctx.body = \`\${ctx.session.user || 'nobody'} \${ctx.session.visits || 0}\`;
  else if (ctx.path === '/visit') { ctx.session.visits = (ctx.session.visits || 0) + 1; ctx.body = 'counted'; }
  else if (ctx.path === '/login') { ctx.session.user = 'ada'; ctx.body = 'welcome'; }
  else if (ctx.path === '/logout') { ctx.session = null; ctx.status = 204; }
});

app.listen(process.env.PORT);
`,
    });
    await app.install();
    const old = await visitOld(await app.start());
    const { code, stdout, stderr } = await app.add("--json", "--backend", "memory", "--no-install");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ wired: { replaces: "koa-session" } });
    expect(app.read("app.js")).toContain("createSessions({ adopt: adoptKoaSession({ keys: app.keys }) });\n");
    await app.install();
    await comeBack(old, await app.start(), "koa.sess");
  });

  test("L7 S29: a Fastify app with @fastify/session goes on as it was, and nobody is signed out", async () => {
    const app = appOf({
      "package.json": MANIFEST({ fastify: "^5.0.0", "@fastify/cookie": "^11.0.0", "@fastify/session": "^11.1.3" }),
      "store.js": FILE_STORE,
      "app.js": `const fastify = require('fastify')({ logger: false })
const fastifySession = require('@fastify/session')
const store = require('./store')

const options = {
  secret: process.env.SECRET || 'a secret with minimum length of 32 characters',
  cookie: { secure: false },
  saveUninitialized: false,
  store
}

fastify.register(require('@fastify/cookie'))
fastify.register(fastifySession, options)

fastify.get('/', async () => 'hello')
fastify.get('/me', async (request) => \`\${request.session.get('user') || 'nobody'} \${request.session.get('visits') || 0}\`)
fastify.post('/visit', async (request) => {
  request.session.set('visits', (request.session.get('visits') || 0) + 1)
  return 'counted'
})
fastify.post('/login', async (request, reply) => {
  await request.session.regenerate(['visits'])
  request.session.set('user', 'ada')
  return reply.redirect('/me', 303)
})
fastify.post('/logout', async (request, reply) => {
  await request.session.destroy()
  return reply.code(204).send()
})

fastify.listen({ port: process.env.PORT })
`,
    });
    await app.install();
    const old = await visitOld(await app.start());
    const { code, stdout, stderr } = await app.add("--json", "--backend", "memory", "--no-install");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ wired: { file: "app.js", replaces: "@fastify/session" } });
    expect(app.read("app.js")).toContain(
      "createSessions({ adopt: adoptFastifySession({ store: options.store, secret: options.secret }) })\n",
    );
    await app.install();
    await comeBack(old, await app.start(), "sessionId");
  });

  test("L7 P1: an Express app in TypeScript with express-session and passport, compiled to CommonJS, moves to PostgreSQL", async () => {
    const postgres = await server("postgres");
    if (postgres === undefined) throw new Error("There is no PostgreSQL.");
    const app = appOf({
      "package.json": MANIFEST(
        { express: "^5.0.0", "express-session": "^1.19.0", passport: "^0.7.0", "passport-custom": "^1.1.1" },
        {
          scripts: { build: "tsc", start: "node dist/index.js" },
          devDependencies: {
            "@types/express": "^5.0.0",
            "@types/express-session": "^1.18.0",
            "@types/passport": "^1.0.17",
            tsx: "^4.20.0",
            typescript: "~5.9.0",
          },
        },
      ),
      "tsconfig.json": `{
  "compilerOptions": {
    /* Language and Environment */
    "target": "es2016", /* Set the JavaScript language version. */
    "module": "commonjs", /* Specify what module code is generated. */
    "rootDir": "./src",
    "outDir": "./dist",
    "esModuleInterop": true,
    "forceConsistentCasingInFileNames": true,
    "strict": true,
    "skipLibCheck": true
  }
}
`,
      "src/index.ts": `import express from "express";
import session from "express-session";
import passport from "passport";
import { Strategy } from "passport-custom";
import { routes } from "./routes";

const app = express();

passport.use("demo", new Strategy((_request, done) => done(null, { id: "ada" })));
passport.serializeUser((user, done) => done(null, (user as { id: string }).id));
passport.deserializeUser((id: string, done) => done(null, { id }));

app.use(session({ secret: "keyboard cat", resave: false, saveUninitialized: false })); // sessions
app.use(passport.session());
app.use(routes);

app.listen(process.env.PORT);
`,
      "src/routes.ts": `import { Router } from "express";
import passport from "passport";

export const routes = Router();

routes.get("/me", (req, res) => {
  res.send(\`\${(req.user as { id: string } | undefined)?.id ?? "nobody"} \${req.session.visits ?? 0}\`);
});
routes.post("/visit", (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1;
  res.send("counted");
});
routes.post("/login", passport.authenticate("demo", { keepSessionInfo: true }), (_req, res) => res.redirect(303, "/me"));

declare module "express-session" {
  interface SessionData {
    visits: number;
  }
}
`,
    });
    await app.install();
    await app.run("npm", "run", "build");
    const { code, stdout, stderr } = await app.add("--json", "--backend", "postgres", "--no-install");
    expect(code, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.wired).toEqual({ file: "src/index.ts", line: 13, replaces: "express-session" });
    // Its store was in memory: there is nothing to take over.
    expect(app.read("src/index.ts")).toContain(
      "const sessions = createSessions();\napp.use(sessionMiddleware(sessions));\napp.use(sessionView()); // sessions\n",
    );
    expect(app.read("src/index.ts")).not.toContain("express-session");
    expect(app.manifest.devDependencies?.["@types/express-session"]).toBeUndefined();
    expect(app.read("tsconfig.json")).toContain('"target": "es2024", /* Set the JavaScript language version. */');
    expect(
      document.uses.map(({ file, line, counterpart }: Record<string, unknown>) => [file, line, counterpart]),
    ).toEqual([
      ["src/routes.ts", 7, "req.session.data.visits"],
      ["src/routes.ts", 10, "req.session.data.visits"],
    ]);
    await app.install();
    // What the list says, done.
    app.write(
      "src/routes.ts",
      app
        .read("src/routes.ts")
        .replaceAll("session.visits", "session.data.visits")
        .replace(/\ndeclare module[\s\S]*/, ""),
    );
    await app.run("npm", "run", "build");
    const environment = { DATABASE_URL: postgres.url, SESSION_TABLE: `added_${process.pid}` };
    await checkSessions(await app.start(["npm", "start"], environment));
    await checkSessions(await app.start(["npx", "tsx", "src/index.ts"], environment));
  });
});
