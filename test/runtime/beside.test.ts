// Widely used middleware and plugins, as they are, before the sessions and behind them: however a handler responds, its session
// is saved first. Add a package that changes responses, and its row in docs/recipes/README.md.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { contextStorage } from "hono/context-storage";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { logger } from "hono/logger";
import { prettyJSON } from "hono/pretty-json";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { timeout } from "hono/timeout";
import { timing } from "hono/timing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { repository } from "../../scripts/packs.ts";
import { ask, serveFixture } from "./served.ts";

// Half of them have no types.
const require = createRequire(import.meta.url);
/** The function that a package exports. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
const exportOf = (loaded: any) => (typeof loaded === "function" ? loaded : loaded.default);

interface App {
  use(middleware: unknown): unknown;
  register(plugin: unknown, options?: object): Promise<unknown>;
}
type Mount = (app: App) => unknown;

const nowhere = { write: () => {} };
const used = (name: string, loaded: unknown, ...options: unknown[]): [string, Mount] => [
  name,
  (app) => app.use(exportOf(loaded)(...options)),
];
const registered = (name: string, loaded: unknown, options: object = {}): [string, Mount] => [
  name,
  (app) => app.register(loaded, options),
];
const honos = (middleware: (...options: never[]) => unknown, ...options: unknown[]): [string, Mount] => [
  `hono's ${middleware.name}`,
  (app) => app.use(middleware(...(options as never[]))),
];

const packages: Record<string, [string, Mount][]> = {
  express: [
    used("compression", require("compression"), { threshold: 0 }),
    used("morgan", require("morgan"), "combined", { stream: nowhere }),
    used("pino-http", require("pino-http"), {}, nowhere),
    used("response-time", require("response-time")),
    used("connect-timeout", require("connect-timeout"), "10s"),
    used("express-fileupload", require("express-fileupload")),
  ],
  koa: [
    used("koa-compress", require("koa-compress"), { threshold: 0 }),
    used("koa-etag", require("koa-etag")),
    used("koa-conditional-get", require("koa-conditional-get")),
    used("koa-logger", require("koa-logger"), { transporter: () => {} }),
    ["koa-connect", (app) => app.use(require("koa-connect")(require("compression")({ threshold: 0 })))],
  ],
  fastify: [
    registered("@fastify/compress", require("@fastify/compress"), { threshold: 0 }),
    registered("@fastify/etag", require("@fastify/etag")),
    registered("@fastify/caching", require("@fastify/caching"), { privacy: "private" }),
    [
      "@fastify/middie",
      async (app) => {
        await app.register(require("@fastify/middie"));
        app.use(require("compression")({ threshold: 0 }));
      },
    ],
  ],
  hono: [
    honos(compress, { threshold: 0 }),
    honos(etag),
    honos(logger, () => {}),
    honos(timing),
    honos(secureHeaders),
    honos(cors, { origin: "https://example.com", credentials: true }),
    honos(bodyLimit, { maxSize: 100 }),
    honos(timeout, 10_000),
    honos(requestId),
    honos(contextStorage),
    honos(prettyJSON),
  ],
};

const PATHS: [string, number, string | undefined][] = [
  ["/text", 200, "hello"],
  ["/redirect", 303, undefined],
  ["/empty", 204, ""],
  ["/stream", 200, "hello"],
  ["/raw", 200, "hello"],
  ["/raw-stream", 200, "hello"],
  ["/throws", 418, undefined],
];

describe.each(
  Object.entries(packages).flatMap(([framework, list]) => list.map((each) => [framework, ...each] as const)),
)("%s with %s", (framework, name, mount) => {
  describe.each(["before", "behind"] as const)("mounted %s the sessions", (place) => {
    const serve = () => serveFixture(framework, undefined, undefined, { [place]: mount });

    test.each(PATHS)("S12 S23: %s is saved before the response, which sets the cookie", async (path, status, body) => {
      const { app, url } = await serve();
      const first = await ask(app, url + path);
      expect(first).toMatchObject({ status, stored: [{ here: 1 }], cookie: expect.any(String), complete: true });
      if (body !== undefined) expect(first.body).toBe(body);
      expect(first.headers["cache-control"]).toMatch(/private|no-store/);
      const again = await ask(app, url + path, { headers: { cookie: first.cookie } });
      expect(again).toMatchObject({ status, stored: [{ here: 1 }], cookie: undefined, complete: true });
    });

    test.each(PATHS.filter(([path]) => path !== "/throws"))(
      "S12 F1: if %s can't be saved, 503 is all that is sent",
      async (path) => {
        const { app, url } = await serve();
        app.driver.create = () => Promise.reject(new StoreUnavailable("down"));
        const complaints = vi.spyOn(console, "error");
        onTestFinished(() => complaints.mockRestore());
        const reply = await ask(app, url + path);
        expect(reply).toMatchObject({ status: 503, cookie: undefined, stored: [], complete: true });
        expect(reply.body).not.toContain("hello");
        expect(complaints).not.toHaveBeenCalled();
      },
    );
  });

  test("the table of the recipes names it, with this version", () => {
    const table = readFileSync(join(repository, "docs/recipes/README.md"), "utf8");
    if (name.startsWith("hono's ")) return expect(table).toMatch(new RegExp(`\\b${name.slice(7)}\\b`));
    const manifest = join(repository, "node_modules", name, "package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8"));
    const rows = table.split("\n").filter((row) =>
      row
        .split("|")[1]
        ?.split(/[\s,]+/)
        .includes(name),
    );
    expect(rows.join()).toContain(version);
  });
});
