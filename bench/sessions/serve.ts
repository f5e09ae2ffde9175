// One contender as a process: makes 500 sessions of 1 kB, prints where it listens and their cookies, and serves.
// Change the handlers to measure another kind of request.
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type express from "express";
import { type AnySession, contenders } from "./contenders.ts";

const [name = "", project = "", postgres = ""] = process.argv.slice(2);
const make = contenders[name];
if (make === undefined) throw new Error(`no contender ${name}: ${Object.keys(contenders).join(", ")}`);
const contender = await make({ project, postgres, folder: mkdtempSync(join(tmpdir(), "bench-")) });

const load = createRequire(join(project, "package.json"))("express") as typeof express;
const app = load();
app.disable("x-powered-by");
app.disable("etag");
app.get("/anonymous-bare", (_request, response) => void response.json({ user: null }));
await contender.use(app);
const data = (request: express.Request) => (request as unknown as { session: { data: AnySession } }).session.data;
app.get("/anonymous", (_request, response) => void response.json({ user: null }));
app.get("/read", (request, response) => void response.json({ user: data(request).user ?? null }));
app.get("/write", (request, response) => {
  const session = data(request);
  session.count = (session.count ?? 0) + 1;
  response.json({ user: session.user ?? null });
});

const filler = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, "x".repeat(38)]));
const cookies: string[] = [];
for (let count = 0; count < 500; count++) cookies.push(await contender.make({ user: "ann", count: 0, ...filler }));
const server = app.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port, cookies }));
});
process.on("SIGTERM", () => process.exit(0));
