// The app: settings, store, sessions, framework, handlers, and how it stops. All the wiring there is.
// Add middleware here, routes in handlers.ts, settings in config.ts.
import { createReadStream } from "node:fs";
import Koa from "koa";
import helmet from "koa-helmet";
import { loadConfig } from "./config.ts";
import { handlers } from "./example/handlers.ts";
import { answerError, notFound } from "./http/error-handler.ts";
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./http/headers.ts";
import { announce, logEvent, stopOnSignal, waitForStore } from "./http/lifecycle.ts";
import { publicFile } from "./http/public-file.ts";
import { sessionMiddleware } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

const config = loadConfig();
const driver = createDriver(config.store, config.session.storeTimeout);
const sessions = new Sessions({ driver, settings: config.session, onEvent: logEvent });
await waitForStore(sessions, config);

const app = new Koa();
app.context.onerror = answerError;
app.use(
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
    referrerPolicy: { policy: referrerPolicy },
    strictTransportSecurity: config.production && strictTransportSecurity,
  }),
);
app.use((ctx, next) => {
  // Before the sessions: files cost the store nothing.
  const file = publicFile(ctx.method, ctx.url);
  if (file === undefined) return next();
  ctx.type = file.type;
  ctx.body = createReadStream(file.path);
});
app.use(sessionMiddleware(sessions));
app.use(notFound);
app.use(handlers(sessions, config).routes());

const server = app.listen(config.port, config.host);
announce(server, config);
stopOnSignal(server, sessions);
