// The app: settings, store, sessions, framework, handlers, and how it stops. All the wiring there is.
// Add middleware here, routes in handlers.ts, settings in config.ts.
import { fileURLToPath } from "node:url";
import express from "express";
import helmet from "helmet";
import { loadConfig } from "./config.ts";
import { errorHandler, handlers } from "./example/handlers.ts";
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./http/headers.ts";
import { announce, logEvent, stopOnSignal, waitForStore } from "./http/lifecycle.ts";
import { sessionMiddleware } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

const config = loadConfig();
const driver = createDriver(config.store, config.session.storeTimeout);
const sessions = new Sessions({ driver, settings: config.session, onEvent: logEvent });
await waitForStore(sessions, config);

const app = express();
app.use(
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
    referrerPolicy: { policy: referrerPolicy },
    strictTransportSecurity: config.production && strictTransportSecurity,
  }),
);
app.use(express.static(fileURLToPath(new URL("../public", import.meta.url))));
app.use(sessionMiddleware(sessions));
app.use(handlers(sessions, config));
app.use(errorHandler);

const server = app.listen(config.port, config.host);
announce(server, config);
stopOnSignal(server, sessions);
