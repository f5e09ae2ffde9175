// The app: settings, store, sessions, framework, routes, and how it starts and stops. All of the wiring is here.
// Add middleware here, your routes in routes.ts, settings in config.ts.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import express from "express";
import helmet from "helmet";
import { type Config, loadConfig } from "./config.ts";
import { readBody } from "./http/body.ts";
import { errorHandler, notFound } from "./http/error-handler.ts";
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./http/headers.ts";
import { addHealth } from "./http/health.ts";
import { type App, logEvent, run } from "./http/lifecycle.ts";
import { addRoutes } from "./routes.ts";
import { sessionMiddleware } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

/** Makes the app. It neither connects nor listens yet, so that tests can use it as well. */
export async function createApp(config: Config): Promise<App> {
  const driver = createDriver(config.store, config.session.storeTimeout);
  const sessions = new Sessions({ driver, settings: config.session, onEvent: logEvent });

  const app = express();
  // Exactly one URL per resource: "/cart/" and "/Cart" are not "/cart".
  app.enable("case sensitive routing");
  app.enable("strict routing");
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
      referrerPolicy: { policy: referrerPolicy },
      xFrameOptions: { action: "deny" },
      strictTransportSecurity: config.production && strictTransportSecurity,
    }),
  );
  // Files come before the sessions, so that they cost the store nothing.
  app.use(express.static(fileURLToPath(new URL("../public", import.meta.url))));
  addHealth(app, sessions);
  app.use(sessionMiddleware(sessions));
  app.use(readBody);
  addRoutes(app);
  (await import("./example/handlers.ts")).addHandlers(app, sessions, config); // the example: delete this line and src/example
  app.use(notFound);
  app.use(errorHandler);
  return { server: createServer(app), sessions };
}

if (import.meta.main) {
  const config = loadConfig();
  await run(await createApp(config), config);
}
