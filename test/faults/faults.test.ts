// Real processes and real servers that are killed, stopped and cut off under load: every confirmed write is there afterwards.
// Nothing to change here for a new backend: each folder of templates/backends that names a server gets every fault.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import type { Fixture } from "../drivers/fixture.ts";
import { assemble } from "../http/assemble.ts";
import { Project } from "../http/project.ts";
import { type FreshServer, freshServer, type ServerName } from "../servers/server.ts";
import { underLoad, until } from "./load.ts";

const STORE_TIMEOUT_MS = 500;

const backends = await Promise.all(
  packs("backends").map(async (backend) => {
    const { default: fixture } = (await import(`../../templates/backends/${backend}/conformance.ts`)) as {
      default: Fixture;
    };
    return { backend, fixture };
  }),
);

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function project(backend: string, environment: Record<string, string>): Promise<Project> {
  const started = new Project(await assemble({ framework: "express", backend }, "faults"), {
    SESSION_STORE_TIMEOUT: String(STORE_TIMEOUT_MS),
    ...environment,
  });
  stops.push(() => started.stop());
  return started;
}

async function json(
  url: string,
  init?: RequestInit,
): Promise<{ status: number; body: Record<string, unknown>; ms: number }> {
  const start = performance.now();
  const response = await fetch(url, init);
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    ms: performance.now() - start,
  };
}

describe.each(backends.filter(({ fixture }) => fixture.server !== undefined))("$backend", ({ backend, fixture }) => {
  async function started(
    skip: () => void,
  ): Promise<{ server: FreshServer; app: Project; environment: Record<string, string> }> {
    const server = await freshServer(fixture.server as ServerName, { durable: true });
    if (server === undefined) {
      skip();
      throw new Error("skipped");
    }
    stops.push(() => server.stop());
    const environment = fixture.environment(server.url, "sessions");
    const app = await project(backend, environment);
    await app.start();
    return { server, app, environment };
  }

  test("F1, F2: the server killed with -9 under load and started again: no confirmed write is lost", async ({
    skip,
  }) => {
    const { server, app } = await started(skip);
    if (!server.keepsData) return skip(`this ${backend} server keeps nothing over a restart`);
    const { surprises, ...report } = await underLoad(
      () => app.url,
      async () => {
        await server.kill();
        await until(async () => (await json(`${app.url}/health`)).body.store === "down");
        expect((await json(`${app.url}/health/live`)).status).toBe(200);
        expect((await fetch(app.url)).status).toBe(200);
        await server.restart();
      },
    );
    console.log(`${backend}, server killed and restarted:`, report);
    expect(surprises, app.output).toEqual([]);
    expect(report.refused).toBeGreaterThan(0);
    expect(report.lost).toBe(0);
    // What a process wrote to its pipe arrives a little later than its responses.
    await until(async () => app.output.includes('"event":"session.storeUp"'));
    expect(app.output).toContain('"event":"session.storeDown"');
  });

  test("F1: a server that hangs: 503 within storeTimeout, other requests are served, and it recovers without a restart", async ({
    skip,
  }) => {
    const { server, app } = await started(skip);
    const { token } = (await json(`${app.url}/session`, { method: "POST" })).body as { token: string };
    const init = { headers: { authorization: `Bearer ${token}` } };
    await server.pause();
    try {
      const responses = await Promise.all(Array.from({ length: 40 }, () => json(`${app.url}/session`, init)));
      for (const { status, ms } of responses) {
        expect(status).toBe(503);
        // Twice the limit and 2 s more leave room for a busy machine; without a limit the request would hang forever.
        expect(ms).toBeLessThan(2 * STORE_TIMEOUT_MS + 2000);
      }
      expect((await json(`${app.url}/health`)).body).toEqual({ store: "down" });
      expect((await fetch(app.url)).status).toBe(200);
    } finally {
      await server.resume();
    }
    await until(async () => (await json(`${app.url}/health`)).body.store === "up");
    await until(async () => (await json(`${app.url}/session`, init)).status === 200);
  });

  test("F4: SIGTERM while the server hangs: the app still stops in time", async ({ skip }) => {
    const { server, app } = await started(skip);
    const { token } = (await json(`${app.url}/session`, { method: "POST" })).body as { token: string };
    await server.pause();
    try {
      const running = json(`${app.url}/session`, { headers: { authorization: `Bearer ${token}` } });
      expect((await running).status).toBe(503);
      await app.stop();
    } finally {
      await server.resume();
    }
  });

  test("F3: a server that refuses connections at the start: the app waits and says so, starts when the server is back, else exits 1", async ({
    skip,
  }) => {
    const { server, app, environment } = await started(skip);
    await app.stop();
    await server.kill();
    const late = await project(backend, environment);
    const starting = late.start();
    await until(() => late.output.includes("Trying again"));
    await server.restart();
    await starting;
    await late.stop();
    await server.kill();
    const child = spawn(process.execPath, ["src/main.ts"], {
      cwd: late.folder,
      env: {
        PATH: process.env.PATH ?? "",
        PORT: "0",
        SESSION_START_TIMEOUT: "1",
        SESSION_STORE_TIMEOUT: "500",
        ...environment,
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        output += text;
      });
    }
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    const { hostname, port, password } = new URL(server.url.split(",")[0] ?? "");
    expect(output).toContain(`${hostname}:${port}`);
    if (password !== "") expect(output).not.toContain(password);
    expect(output).not.toMatch(/^\s+at /m);
    await server.restart();
  });
});

describe.each(backends.filter(({ fixture }) => fixture.capabilities.sharedStore))(
  "$backend",
  ({ backend, fixture }) => {
    async function environment(skip: () => void): Promise<Record<string, string>> {
      if (fixture.server === undefined) return fixture.environment(undefined, "faults");
      const server = await freshServer(fixture.server as ServerName, { durable: true });
      if (server === undefined) {
        skip();
        throw new Error("skipped");
      }
      stops.push(() => server.stop());
      return fixture.environment(server.url, "sessions");
    }

    test("F2: the app killed with -9 under load and started again: each confirmed write is there", async ({ skip }) => {
      const app = await project(backend, await environment(skip));
      await app.start();
      const { surprises, ...report } = await underLoad(
        () => app.url,
        async () => {
          process.kill(app.pid ?? 0, "SIGKILL");
          await app.start();
        },
      );
      console.log(`${backend}, app killed and restarted:`, report);
      expect(surprises).toEqual([]);
      expect(report.refused).toBeGreaterThan(0);
      expect(report.lost).toBe(0);
    });

    test("F7, S10, S11: two processes on one store: 200 keys and 1,000 increments in parallel, none lost", async ({
      skip,
    }) => {
      const variables = await environment(skip);
      const first = await project(backend, {
        ...variables,
        SESSION_STORE_TIMEOUT: "20000",
        SESSION_MAX_DATA_BYTES: "1000000",
      });
      await first.start();
      const second = new Project(first.folder, {
        ...variables,
        SESSION_STORE_TIMEOUT: "20000",
        SESSION_MAX_DATA_BYTES: "1000000",
      });
      stops.push(() => second.stop());
      await second.start();
      const { token } = (await json(`${first.url}/session`, { method: "POST" })).body as { token: string };
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const send = (index: number, method: string, path: string, body: unknown) =>
        json(`${(index % 2 ? first : second).url}${path}`, { method, headers, body: JSON.stringify(body) });
      const keys = Array.from({ length: 200 }, (_, index) =>
        send(index, "PUT", `/session/data/key${index}`, { value: index }),
      );
      const statuses = (await Promise.all(keys)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([200]));
      const adding: Promise<{ status: number }>[] = [];
      for (let index = 0; index < 1000; index++) {
        adding.push(send(index, "POST", "/cart", { sku: "a", quantity: 1 }));
        // 1,000 sockets at once would measure the machine's limits, not ours.
        if (index % 100 === 99) await Promise.all(adding);
      }
      expect(new Set((await Promise.all(adding)).map(({ status }) => status))).toEqual(new Set([200]));
      const { data } = (await json(`${first.url}/session`, { headers })).body as { data: Record<string, unknown> };
      expect(data.cart).toEqual({ a: 1000 });
      expect(Object.keys(data)).toHaveLength(201);
    });
  },
);

test("F4: SIGTERM: running requests are finished, then exit 0", async () => {
  const app = await project("memory", {});
  await app.start();
  const { port } = new URL(app.url);
  const socket = connect(Number(port), "localhost");
  const body = '{"value":1}';
  socket.write(
    `PUT /session/data/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n{`,
  );
  await once(socket, "connect");
  // The app is handling the request once it has responded to another one that came after it.
  await fetch(`${app.url}/health/live`, { headers: { connection: "close" } });
  const stopped = app.stop();
  await until(() =>
    fetch(`${app.url}/health/live`).then(
      () => false,
      () => true,
    ),
  );
  socket.write(body.slice(1));
  let received = "";
  for await (const piece of socket) received += piece;
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  await stopped;
});
