// `add` on real apps: what it added then serves sessions, in every framework, in JavaScript and TypeScript, ESM and CommonJS.
// Change it when another kind of app should be served.
import { describe, expect, test } from "vitest";
import { addTo, appOf, checkSessions, expressGenerator, fastifyCli, honoNodejs } from "./apps.ts";

const MINUTES = 60_000;

describe("add", { timeout: 10 * MINUTES }, () => {
  test("L7 C6 S12: an app of express-generator, in CommonJS, gets sessions in SQLite", async () => {
    const app = await expressGenerator();
    await app.install();
    const main = await addTo(app, "app.js", "--backend", "sqlite", "--no-install");
    expect(main).toContain(
      "var app = express();\nvar sessions = createSessions();\napp.use(sessionMiddleware(sessions));\n",
    );
    expect(main).toContain("var { createSessions } = require('./src/create-sessions.mts');\n");
    expect(app.manifest.dependencies).toMatchObject({ express: "~4.16.1", "better-sqlite3": expect.any(String) });
    expect(app.manifest.devDependencies).toBeUndefined();
    app.write(
      "routes/index.js",
      `var express = require('express');
var router = express.Router();
router.get('/me', function(req, res) {
  res.send((req.session.userid || 'nobody') + ' ' + (req.session.data.visits || 0));
});
router.post('/visit', function(req, res) {
  req.session.data.visits = (req.session.data.visits || 0) + 1;
  res.send('counted');
});
router.post('/login', function(req, res, next) {
  req.session.signIn('ada').then(function() { res.redirect(303, '/me'); }, next);
});
module.exports = router;
`,
    );
    await app.install();
    const browser = await checkSessions(await app.start());
    expect(await app.run("npm", "run", "--silent", "sessions", "--", "list")).toContain("ada");
    // Another process on the same file, as after a restart.
    const url = await app.start();
    const response = await fetch(`${url}/me`, { headers: { cookie: browser.cookie } });
    expect(await response.text()).toBe("ada 3");
  });

  const fastifyRoutes = (request: string, type = "") => `
  fastify.get('/me', async (${request}) => \`\${request.session.userid ?? 'nobody'} \${request.session.data${type}.visits ?? 0}\`)
  fastify.post('/visit', async (${request}) => {
    const { data } = request.session${type && " as { data: { visits?: number } }"}
    data.visits = (data.visits ?? 0) + 1
    return 'counted'
  })
  fastify.post('/login', async (${request}, reply) => {
    await request.session.signIn('ada')
    return reply.redirect('/me', 303)
  })
`;

  test("L7: an app of fastify-cli, a plugin in CommonJS, gets sessions in memory", async () => {
    const app = await fastifyCli();
    await addTo(app, "app.js", "--backend", "memory", "--no-install");
    app.write(
      "routes/root.js",
      `'use strict'\nmodule.exports = async function (fastify, opts) {${fastifyRoutes("request")}}\n`,
    );
    await app.install();
    await checkSessions(await app.start());
    expect(await app.run("node", "--test", "test/routes/example.test.js")).toContain("pass 1\n");
  });

  test("L7: an app of fastify-cli, a plugin as an ES module, gets sessions in SQLite", async () => {
    const app = await fastifyCli("--esm");
    const main = await addTo(app, "app.js", "--backend", "sqlite", "--no-install");
    expect(main).toContain("import { createSessions } from './src/create-sessions.ts'\n");
    app.write("routes/root.js", `export default async function (fastify, opts) {${fastifyRoutes("request")}}\n`);
    await app.install();
    await checkSessions(await app.start());
  });

  test("L7 P1: an app of fastify-cli in TypeScript, compiled to CommonJS, gets sessions in SQLite", async () => {
    const app = await fastifyCli("--lang=ts");
    // Without it, TypeScript 6 refuses what fastify-cli generates.
    app.edit("tsconfig.json", '"outDir": "dist",', '"outDir": "dist",\n    "rootDir": "src",');
    await app.install();
    const main = await addTo(app, "src/app.ts", "--backend", "sqlite", "--no-install");
    expect(main).toContain("import { createSessions } from './create-sessions'\n");
    app.write(
      "src/routes/root.ts",
      `import { FastifyPluginAsync } from 'fastify'\n\nconst root: FastifyPluginAsync = async (fastify): Promise<void> => {${fastifyRoutes("request", "")}}\n\nexport default root\n`,
    );
    await app.install();
    await checkSessions(await app.start());
  });

  test.each(["sqlite", "couchdb"])(
    "L7 P1: a TypeScript Express app that is compiled to CommonJS without esModuleInterop gets sessions in %s",
    async (backend) => {
      const manifest = {
        name: "app",
        scripts: { build: "tsc", start: "node dist/server.js" },
        dependencies: { express: "^5.1.0" },
        devDependencies: { "@types/express": "^5.0.3", "@types/node": "^24.0.0", typescript: "~5.9.0" },
      };
      const app = appOf({
        "package.json": JSON.stringify(manifest, null, 2),
        "tsconfig.json": `{
  "compilerOptions": {
    "target": "es2022",
    "module": "commonjs",
    "outDir": "dist",
    "rootDir": "src",
    "strict": true,
    "skipLibCheck": true
  },
  "include": ["src"]
}
`,
        "src/app.ts": `import express = require("express");

const app = express();
app.get("/me", ({ session }, response) => {
  response.send(\`\${session.userid ?? "nobody"} \${session.data.visits ?? 0}\`);
});
app.post("/visit", ({ session }, response) => {
  session.data.visits = (session.data.visits ?? 0) + 1;
  response.send("counted");
});
app.post("/login", async ({ session }, response) => {
  await session.signIn("ada");
  response.redirect(303, "/me");
});
export default app;
`,
        "src/server.ts": 'import app from "./app";\n\napp.listen(process.env.PORT);\n',
      });
      await app.install();
      const main = await addTo(app, "src/app.ts", "--backend", backend, "--no-install");
      expect(main).toContain(
        'import express = require("express");\nimport { createSessions } from "./create-sessions";\n',
      );
      await app.install();
      await app.run("npm", "run", "build");
      const url = await app.start();
      if (backend === "sqlite") await checkSessions(url);
      // Without CouchDB, its client is made all the same, and whoever has no session needs no store.
      else expect(await (await fetch(`${url}/me`)).text()).toBe("nobody 0");
    },
  );

  test("L7 P1: an app of create-hono in TypeScript, compiled to ES modules, gets sessions in SQLite", async () => {
    const app = honoNodejs();
    await app.install();
    const main = await addTo(app, "src/index.ts", "--backend", "sqlite", "--no-install");
    expect(main).toContain("import { createSessions } from './create-sessions.js'\n");
    app.edit("src/index.ts", "port: 3000", "port: Number(process.env.PORT)");
    app.edit(
      "src/index.ts",
      "serve({",
      `app.get('/me', (c) => c.text(\`\${c.var.session.userid ?? 'nobody'} \${c.var.session.data.visits ?? 0}\`))
app.post('/visit', (c) => {
  c.var.session.data.visits = (c.var.session.data.visits ?? 0) + 1
  return c.text('counted')
})
app.post('/login', async (c) => {
  await c.var.session.signIn('ada')
  return c.redirect('/me', 303)
})

serve({`,
    );
    await app.install();
    await app.run("npm", "run", "build");
    await checkSessions(await app.start());
    // And by tsx, as in development.
    await checkSessions(await app.start(["npx", "tsx", "src/index.ts"], { SQLITE_FILE: "other.db" }));
  });

  test("L7: a Koa app, an ES module, gets sessions in memory", async () => {
    const app = appOf({
      "package.json": `{ "name": "koa-app", "type": "module", "scripts": { "start": "node server.js" }, "dependencies": { "koa": "^3.0.0" } }\n`,
      "server.js": `import Koa from "koa";

export const app = new Koa();

app.use(async (ctx, next) => {
  const { session } = ctx;
  if (ctx.path === "/me") {
    ctx.body = \`\${session.userid ?? "nobody"} \${session.data.visits ?? 0}\`;
  } else if (ctx.path === "/visit") {
    session.data.visits = (session.data.visits ?? 0) + 1;
    ctx.body = "counted";
  } else if (ctx.path === "/login") {
    await session.signIn("ada");
    ctx.status = 303;
    ctx.redirect("/me");
  } else {
    await next();
  }
});

app.listen(process.env.PORT);
`,
    });
    const main = await addTo(app, "server.js", "--backend", "memory", "--no-install");
    expect(main).toContain("export const app = new Koa();\nconst sessions = createSessions();\n");
    await app.install();
    await checkSessions(await app.start());
  });

  test("L7: an app of node:http, in CommonJS, gets sessions in memory", async () => {
    const app = appOf({
      "package.json": `{ "name": "plain", "main": "index.js", "scripts": { "start": "node ." } }\n`,
      "index.js": `const http = require("http");

const server = http.createServer(async (request, response) => {
  const { session } = request;
  if (request.url === "/me") {
    response.end(\`\${session.userid ?? "nobody"} \${session.data.visits ?? 0}\`);
  } else if (request.url === "/visit") {
    session.data.visits = (session.data.visits ?? 0) + 1;
    response.end("counted");
  } else if (request.url === "/login") {
    await session.signIn("ada");
    response.writeHead(303, { location: "/me" }).end();
  } else {
    response.writeHead(404).end();
  }
});

server.listen(process.env.PORT);
`,
    });
    const main = await addTo(app, "index.js", "--backend", "memory", "--no-install");
    expect(main).toContain(
      "const sessions = createSessions();\nconst server = http.createServer(withSession(sessions, async (request, response) => {\n",
    );
    expect(main).toContain("\n}));\n\nserver.listen(");
    await app.install();
    await checkSessions(await app.start());
  });
});
