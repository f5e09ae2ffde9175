// Recipes about an app that runs: its tests, metrics, audit log, and several processes.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, run, start } from "./project.ts";

const ada = { userid: "ada", password: "demo" };

test.each(readPage("testing").frameworks)(
  "P8: a test of one's own handlers passes in %s, and fails where they are wrong",
  async (framework) => {
    const project = await followRecipe({ page: "testing", framework });
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const options = { cwd: project, env };
    const { stdout } = await promisify(execFile)(process.execPath, ["--test", "test/visits.test.ts"], options);
    expect(stdout).toMatch(/pass [1-9]/);

    const routes = join(project, "src/routes.ts");
    await writeFile(routes, (await readFile(routes, "utf8")).replace("?? 0) + 1", "?? 0) + 2"));
    await expect(promisify(execFile)(process.execPath, ["--test", "test/visits.test.ts"], options)).rejects.toThrow();
  },
);

test.each(readPage("metrics-and-audit").frameworks)(
  "S19: events of %s are counted and audited, and sessions gauged",
  async (framework) => {
    const project = await followRecipe({ page: "metrics-and-audit", framework });
    const { url } = await start(project);
    const [browser, guest] = [new Client(url), new Client(url)];
    await guest.get("/visits");
    await browser.post("/login", ada);
    await browser.post("/login", ada);
    await guest.post("/logout", {}, { origin: "https://evil.example" });
    const metrics = async () => {
      const { status, headers, text } = await guest.get("/metrics");
      expect([status, headers.get("content-type")]).toEqual([200, expect.stringContaining("version=0.0.4")]);
      return text;
    };
    expect(await metrics()).toContain('sessions_live{signed_in="yes"} 1\nsessions_live{signed_in="no"} 1\n');
    const token = browser.cookies.get("session") ?? "";
    await browser.post("/logout");
    const text = await metrics();
    expect(text).toContain('session_events_total{type="created",reason=""} 2');
    expect(text).toContain('session_events_total{type="signedIn",reason=""} 2');
    expect(text).not.toContain('type="renewed"');
    expect(text).toContain('session_events_total{type="ended",reason="destroyed"} 1');
    expect(text).toContain('session_events_total{type="crossOrigin",reason=""} 1');
    expect(text).toContain('session_store_call_seconds_count{operation="create",outcome="done"} 2');
    expect(text).toContain('session_store_call_seconds_count{operation="stats",outcome="done"} 1');

    const lines = async () => (await readFile(join(project, "audit.log"), "utf8").catch(() => "")).trim().split("\n");
    await expect.poll(async () => (await lines()).length, { timeout: 10_000 }).toBe(4);
    const audited = (await lines()).map((line) => JSON.parse(line));
    expect(audited.map(({ type }) => type).sort()).toEqual(["crossOrigin", "ended", "signedIn", "signedIn"]);
    expect(audited).toContainEqual(expect.objectContaining({ type: "ended", userid: "ada", reason: "destroyed" }));
    expect(token).toHaveLength(64);
    // Neither the token nor its secret half.
    expect(await readFile(join(project, "audit.log"), "utf8")).not.toContain(token.slice(-42));
  },
);

test.each(readPage("several-processes").frameworks)(
  "F7: several processes of %s behave as one, and one that dies is replaced",
  async (framework) => {
    const project = await followRecipe({ page: "several-processes", framework, backend: "sqlite" });
    const app = await run(project, ["src/cluster.ts"], {
      ...process.env,
      PORT: String(await freePort()),
      NODE_ENV: "development",
    });
    const browser = new Client(app.url);
    await browser.post("/login", ada);
    const visits = await Promise.all(Array.from({ length: 20 }, () => browser.get("/visits", { connection: "close" })));
    expect(visits.map(({ json }) => json.visits).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );

    const workers = async () => {
      const { pid } = app.process;
      return (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ");
    };
    const listening = () => app.output().split("Listening on").length - 1;
    const before = await workers();
    await expect.poll(listening, { timeout: 20_000 }).toBe(before.length);
    process.kill(Number(before[0]), "SIGKILL");
    await expect.poll(listening, { timeout: 20_000 }).toBe(before.length + 1);
    expect(await workers()).toHaveLength(before.length);
    await browser.post("/logout");
    const gone = await Promise.all(Array.from({ length: 8 }, () => browser.get("/session", { connection: "close" })));
    for (const { status } of gone) expect(status).toBe(404);
    await app.stop();
    expect(app.process.exitCode).toBe(0);
  },
);

/** As instrumentation of node:http would do it: each request runs in a span. */
const SPANS_OF_REQUESTS = `import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import { trace } from "@opentelemetry/api";
import "./tracing.ts";

const { emit } = Server.prototype;
Server.prototype.emit = function (name: string, ...values: unknown[]) {
  if (name !== "request") return Reflect.apply(emit, this, [name, ...values]);
  const [request, response] = values as [IncomingMessage, ServerResponse];
  return trace.getTracer("requests").startActiveSpan(\`request \${request.url}\`, (span) => {
    response.once("close", () => span.end());
    return Reflect.apply(emit, this, [name, ...values]);
  });
};
`;

test.each(readPage("opentelemetry").frameworks)(
  "S19: each call of the store in %s is a span below its request's",
  async (framework) => {
    const files = { "src/requests.ts": SPANS_OF_REQUESTS };
    const project = await followRecipe({ page: "opentelemetry", framework, backend: "sqlite", files });
    const parameters = ["--import", "./src/requests.ts", "src/main.ts"];
    const app = await run(project, parameters, { ...process.env, PORT: "0", NODE_ENV: "development" });
    const browser = new Client(app.url);
    await browser.post("/login", ada);
    expect((await browser.get("/visits")).json).toEqual({ visits: 1 });
    const traceOf = async (name: string) =>
      (await app.printed(new RegExp(`traceId: '(\\w+)',(?:(?!traceId: )[^])*?name: '${name}'`)))[1];
    expect(await traceOf("session store create")).toBe(await traceOf("request /login"));
    const visit = await traceOf("request /visits");
    expect(await traceOf("session store read")).toBe(visit);
    expect(await traceOf("session store change")).toBe(visit);
    expect(app.output()).not.toContain(browser.cookies.get("session"));
  },
);
