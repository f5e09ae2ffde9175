// The app: settings, store, sessions, framework, routes, and how it starts and stops. All of the wiring is here.
// Add plugins here, your routes in routes.ts, settings in config.ts.
import helmet from "@fastify/helmet";
import Fastify, { LogController } from "fastify";
import { type Config, loadConfig } from "./config.ts";
import { MAX_BODY_BYTES, readBodies } from "./http/body.ts";
import {
  errorHandler,
  notFound,
  respondToClientError,
  respondToMalformedUrl,
  respondToRawError,
} from "./http/error-handler.ts";
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./http/headers.ts";
import { health } from "./http/health.ts";
import { type App, logEvent, run } from "./http/lifecycle.ts";
import { publicFiles } from "./http/public-files.ts";
import { securityHeaders } from "./http/security-headers.ts";
import { routes } from "./routes.ts";
import { sessionPlugin } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

/** Makes the app. It neither connects nor listens yet, so that tests can use it as well. */
export async function createApp(config: Config): Promise<App> {
  const app = Fastify({
    logger: true,
    // Without this, Fastify logs two lines per request.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    // Node's defaults; Fastify's would let a slow client hold a request forever.
    requestTimeout: 300_000,
    keepAliveTimeout: 5_000,
    // While the app stops, requests on kept connections still get their response.
    return503OnClosing: false,
    // Handlers check their input themselves, and say what is wrong with it.
    routerOptions: { maxParamLength: 16_384 },
    // Malformed URLs pass none of the hooks below.
    frameworkErrors: (error, request, reply) =>
      respondToMalformedUrl(error, request, reply.headers(securityHeaders(config.production))),
    clientErrorHandler: respondToClientError,
  });
  const driver = createDriver(config.store, config.session.storeTimeout);
  const sessions = new Sessions({
    driver,
    settings: config.session,
    onEvent: (event) => logEvent(event, app.log),
  });

  app.setErrorHandler(errorHandler);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
    referrerPolicy: { policy: referrerPolicy },
    xFrameOptions: { action: "deny" },
    strictTransportSecurity: config.production && strictTransportSecurity,
  });
  // Files come before the sessions, so that they cost the store nothing.
  app.addHook("onRequest", publicFiles);
  await app.register(sessionPlugin, { sessions, respondToRawError });
  app.setNotFoundHandler(notFound);
  readBodies(app);
  app.register(health(sessions));
  app.register(routes);
  app.register((await import("./example/handlers.ts")).handlers(sessions, config)); // the example: delete this line and src/example
  await app.ready();
  return { server: app.server, sessions, listen: (address) => app.listen(address), close: () => app.close() };
}

if (import.meta.main) {
  const config = loadConfig();
  await run(await createApp(config), config);
}
