// The app: settings, store, sessions, framework, handlers, and how it stops. All the wiring there is.
// Add plugins here, routes in handlers.ts, settings in config.ts.
import { createReadStream } from "node:fs";
import helmet from "@fastify/helmet";
import Fastify, { LogController } from "fastify";
import { loadConfig } from "./config.ts";
import { handlers } from "./example/handlers.ts";
import { readBodies } from "./http/body.ts";
import { answerClientError, answerError, answerRaw, notFound } from "./http/error-handler.ts";
import { contentSecurityPolicy, referrerPolicy, securityHeaders, strictTransportSecurity } from "./http/headers.ts";
import { announce, isProblem, stopOnSignal, waitForStore } from "./http/lifecycle.ts";
import { publicFile } from "./http/public-file.ts";
import { sessionPlugin } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

const config = loadConfig();
const app = Fastify({
  logger: true,
  // Two lines a request more, if you drop this.
  logController: new LogController({ disableRequestLogging: true }),
  bodyLimit: 256 * 1024,
  // As Node has them: Fastify's own would let a slow client take for ever.
  requestTimeout: 300_000,
  keepAliveTimeout: 5_000,
  // What still comes by a kept connection while the app stops is answered.
  return503OnClosing: false,
  // Input is checked by input.ts, with an answer that says why.
  routerOptions: { maxParamLength: 16_384 },
  // What isn't even a path comes by none of the hooks below.
  frameworkErrors: (error, request, reply) =>
    answerError(error, request, reply.headers(securityHeaders(config.production))),
  clientErrorHandler: answerClientError,
});

const driver = createDriver(config.store, config.session.storeTimeout);
const sessions = new Sessions({
  driver,
  settings: config.session,
  onEvent: (event) => app.log[isProblem(event) ? "warn" : "info"](event, `session.${event.type}`),
});
await waitForStore(sessions, config);

app.setErrorHandler(answerError);
app.register(helmet, {
  contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
  referrerPolicy: { policy: referrerPolicy },
  strictTransportSecurity: config.production && strictTransportSecurity,
});
app.get("/*", (request, reply) => {
  const file = publicFile(request.method, request.url);
  return file ? reply.type(file.type).send(createReadStream(file.path)) : reply.callNotFound();
});
// The files of public/ are outside this scope, without sessions: they cost the store nothing.
app.register(async (scope) => {
  scope.register(sessionPlugin, { sessions, answerRaw });
  // In here: what another site sends is refused (403) before it is looked at.
  scope.setNotFoundHandler(notFound);
  readBodies(scope);
  scope.register(handlers(sessions, config));
});

announce(app.server, config);
stopOnSignal(app.server, sessions, () => app.close());
await app.listen({ port: config.port, host: config.host });
