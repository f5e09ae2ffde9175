// The app: settings, store, sessions, framework, routes, and how it starts and stops. All of the wiring is here.
// Add middleware here, your routes in routes.ts, settings in config.ts.
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { type Config, loadConfig } from "./config.ts";
import { type AppEnv, readBody } from "./http/body.ts";
import { notFound, onError } from "./http/error-handler.ts";
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./http/headers.ts";
import { health } from "./http/health.ts";
import { type App, logEvent, run } from "./http/lifecycle.ts";
import { publicFiles } from "./http/public-files.ts";
import { routes } from "./routes.ts";
import { sessionMiddleware } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

/** Makes the app. It neither connects nor listens yet, so that tests can use it as well. */
export async function createApp(config: Config): Promise<App> {
  const driver = createDriver(config.store, config.session.storeTimeout);
  const sessions = new Sessions({ driver, settings: config.session, onEvent: logEvent });

  const app = new Hono<AppEnv>();
  app.use(
    secureHeaders({
      contentSecurityPolicy,
      referrerPolicy,
      xFrameOptions: "DENY",
      strictTransportSecurity: config.production && `max-age=${strictTransportSecurity.maxAge}`,
    }),
  );
  // Files come before the sessions, so that they cost the store nothing.
  app.use(publicFiles);
  app.use(sessionMiddleware(sessions));
  app.use(readBody);
  app.route("/", health(sessions));
  app.route("/", routes());
  app.route("/", (await import("./example/handlers.ts")).handlers(sessions, config)); // the example: delete this line and src/example
  app.notFound(notFound);
  app.onError(onError);
  // The adaptor can make servers of other kinds too; without options it makes one of node:http.
  return { server: createAdaptorServer({ fetch: app.fetch }) as Server, sessions };
}

if (import.meta.main) {
  const config = loadConfig();
  await run(await createApp(config), config);
}
