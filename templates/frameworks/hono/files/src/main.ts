// The app: settings, store, sessions, framework, handlers, and how it stops. All the wiring there is.
// Add middleware here, routes in handlers.ts, settings in config.ts.
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { loadConfig } from "./config.ts";
import { handlers } from "./example/handlers.ts";
import { answerError, notFound } from "./http/error-handler.ts";
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./http/headers.ts";
import { announce, logEvent, stopOnSignal, waitForStore } from "./http/lifecycle.ts";
import { publicFile } from "./http/public-file.ts";
import { type SessionEnv, sessionMiddleware } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

const config = loadConfig();
const driver = createDriver(config.store, config.session.storeTimeout);
const sessions = new Sessions({ driver, settings: config.session, onEvent: logEvent });
await waitForStore(sessions, config);

const app = new Hono<SessionEnv>();
app.use(
  secureHeaders({
    contentSecurityPolicy,
    referrerPolicy,
    strictTransportSecurity: config.production && `max-age=${strictTransportSecurity.maxAge}`,
  }),
);
// Before the sessions: files cost the store nothing. serveStatic alone would serve dot files too.
const files = serveStatic({ root: fileURLToPath(new URL("../public", import.meta.url)) });
app.use((c, next) => (publicFile(c.req.method, c.req.path) ? files(c, next) : next()));
app.use(sessionMiddleware(sessions));
app.route("/", handlers(sessions, config));
app.notFound(notFound);
app.onError(answerError);

// Plain HTTP, of all the servers that `serve` can be.
const server = serve({ fetch: app.fetch, port: config.port, hostname: config.host }) as Server;
announce(server, config);
stopOnSignal(server, sessions);
