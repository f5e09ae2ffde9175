// The app: settings, store, sessions, server, routes, and how it starts and stops. All of the wiring is here.
// Add what holds for every response here, your routes in routes.ts, settings in config.ts.
import { createServer } from "node:http";
import { type Config, loadConfig } from "./config.ts";
import { respondToError } from "./http/error-handler.ts";
import { addHealth } from "./http/health.ts";
import { type App, logEvent, run } from "./http/lifecycle.ts";
import { publicFile } from "./http/public-file.ts";
import { sendFile } from "./http/respond.ts";
import { Router } from "./http/router.ts";
import { securityHeaders } from "./http/security-headers.ts";
import { addRoutes } from "./routes.ts";
import { withSessions } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

/** Makes the app. It neither connects nor listens yet, so that tests can use it as well. */
export async function createApp(config: Config): Promise<App> {
  const driver = createDriver(config.store, config.session.storeTimeout);
  const sessions = new Sessions({ driver, settings: config.session, onEvent: logEvent });

  const router = new Router();
  addHealth(router, sessions);
  addRoutes(router);
  (await import("./example/handlers.ts")).addHandlers(router, sessions, config); // the example: delete this line and src/example

  const handle = withSessions(sessions, (exchange) => router.handle(exchange), respondToError);
  const headers = new Map(Object.entries(securityHeaders(config.production)));
  const server = createServer((request, response) => {
    response.setHeaders(headers);
    // Files come before the sessions, so that they cost the store nothing.
    const file = publicFile(request);
    if (file === undefined) handle(request, response);
    else sendFile(response, file);
  });
  return { server, sessions };
}

if (import.meta.main) {
  const config = loadConfig();
  await run(await createApp(config), config);
}
