// The app: settings, store, sessions, framework, handlers, and how it stops. All the wiring there is.
// Add middleware here, routes in handlers.ts, settings in config.ts.
import { createReadStream } from "node:fs";
import Koa from "koa";
import helmet from "koa-helmet";
import { loadConfig } from "./config.ts";
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./content-security-policy.ts";
import { answerError, notFound } from "./errors.ts";
import { handlers } from "./handlers.ts";
import { announce, logEvent, stopOnSignal, waitForStore } from "./lifecycle.ts";
import { publicFile } from "./public-file.ts";
import { sessionMiddleware } from "./session/adapter.ts";
import { createDriver } from "./session/driver.ts";
import { Sessions } from "./session/sessions.ts";

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
app.use(sessionMiddleware(app, sessions));
app.use(notFound);
app.use(handlers(sessions, config).routes());

const server = app.listen(config.port, config.host);
announce(server, config);
stopOnSignal(server, sessions);
