// The app: settings, store, sessions, server, handlers, and how it stops. All the wiring there is.
// Add what holds for every answer here, routes in handlers.ts, settings in config.ts.
import { createServer } from "node:http";
import { loadConfig } from "./config.ts";
import { handlers } from "./example/handlers.ts";
import { sendFile } from "./http/answer.ts";
import { answerError } from "./http/error-handler.ts";
import { securityHeaders } from "./http/headers.ts";
import { announce, logEvent, stopOnSignal, waitForStore } from "./http/lifecycle.ts";
import { publicFile } from "./http/public-file.ts";
import { withSessions } from "./session/adapter.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

const config = loadConfig();
const driver = createDriver(config.store, config.session.storeTimeout);
const sessions = new Sessions({ driver, settings: config.session, onEvent: logEvent });
await waitForStore(sessions, config);

const router = handlers(sessions, config);
const app = withSessions(sessions, (exchange) => router.handle(exchange), answerError);
const security = new Map(Object.entries(securityHeaders(config.production)));

const server = createServer((request, response) => {
  response.setHeaders(security);
  // Before the sessions: files cost the store nothing.
  const file = publicFile(request.method, request.url);
  if (file) sendFile(response, file.type, file.path);
  else app(request, response);
});

server.listen(config.port, config.host);
announce(server, config);
stopOnSignal(server, sessions);
