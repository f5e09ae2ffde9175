// Serves the actions of probe-actions.ts with this project's framework and adapter, for sessions.test.ts.
// Change it together with how src/main.ts sets up sessions.
import { createServer, type Server } from "node:http";
import { respondToError } from "../src/http/error-handler.ts";
import { sendJson } from "../src/http/respond.ts";
import { Router } from "../src/http/router.ts";
import { withSessions } from "../src/session/adapter.ts";
import { NodeRequest } from "../src/session/request.ts";
import type { Sessions } from "../src/session/sessions.ts";
import { act } from "./probe-actions.ts";

export async function serveProbe(sessions: Sessions): Promise<Server> {
  const router = new Router();
  router.on("POST", "/:action/:value", async ({ request, response, session, params }) => {
    const { action = "", value = "" } = params;
    sendJson(response, await act(action, { session, sessions, request: new NodeRequest(request), value }));
  });
  return createServer(withSessions(sessions, (exchange) => router.handle(exchange), respondToError));
}
