// One Express contender as a process: `express.ts NAME PROJECT POSTGRES_URL`.
// Change the handlers to measure another kind of request.
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type express from "express";
import { type AnySession, contenders } from "./contenders.ts";
import { serve } from "./serving.ts";

const [name = "", project = "", postgres = ""] = process.argv.slice(2);
const make = contenders[name];
if (make === undefined) throw new Error(`no contender ${name}: ${Object.keys(contenders).join(", ")}`);
const contender = await make({ project, postgres, folder: mkdtempSync(join(tmpdir(), "bench-")) });

const load = createRequire(join(project, "package.json"))("express") as typeof express;
const app = load();
app.disable("x-powered-by");
app.disable("etag");
await contender.use(app);
const data = (request: express.Request) => (request as unknown as { session: { data: AnySession } }).session.data;
app.get("/anonymous", (_request, response) => void response.json({ user: null }));
app.get("/read", (request, response) => void response.json({ user: data(request).user ?? null }));
app.get("/write", (request, response) => {
  const session = data(request);
  session.count = (session.count ?? 0) + 1;
  response.json({ user: session.user ?? null });
});
await serve(createServer(app), (sessionData) => contender.make(sessionData));
