// The app: settings, store, sessions, framework, routes, and how it starts and stops. All of the wiring is here.
// Add middleware here, your routes in routes.ts, settings in config.ts.
import { createServer } from "node:http";
import Koa from "koa";
import helmet from "koa-helmet";
import { type Config, loadConfig } from "./config.ts";
import { readBody } from "./http/body.ts";
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

  const app = new Koa();
  app.context.onerror = onError;
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
      referrerPolicy: { policy: referrerPolicy },
      xFrameOptions: { action: "deny" },
      strictTransportSecurity: config.production && strictTransportSecurity,
    }),
  );
  // Files come before the sessions, so that they cost the store nothing.
  app.use(publicFiles);
  app.use(sessionMiddleware(sessions));
  app.use(notFound);
  app.use(readBody);
  app.use(health(sessions).routes());
  app.use(routes().routes());
  app.use((await import("./example/handlers.ts")).handlers(sessions, config).routes()); // the example: delete this line and src/example
  return { server: createServer(app.callback()), sessions };
}

if (import.meta.main) {
  const config = loadConfig();
  await run(await createApp(config), config);
}
