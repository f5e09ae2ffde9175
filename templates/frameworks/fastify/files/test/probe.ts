// Serves the actions of probe-actions.ts with this project's framework and adapter, for sessions.test.ts.
// Change it together with how src/main.ts sets up sessions.
import type { Server } from "node:http";
import Fastify from "fastify";
import { errorHandler, respondToRawError } from "../src/http/error-handler.ts";
import { sessionPlugin } from "../src/session/adapter.ts";
import { NodeRequest } from "../src/session/request.ts";
import type { Sessions } from "../src/session/sessions.ts";
import { act } from "./probe-actions.ts";

interface Route {
  Params: { action: string; value: string };
}

export async function serveProbe(sessions: Sessions): Promise<Server> {
  const app = Fastify({ routerOptions: { maxParamLength: 1000 } });
  app.setErrorHandler(errorHandler);
  app.register(sessionPlugin, { sessions, respondToRawError });
  app.post<Route>("/:action/:value", async (request) => {
    const { action, value } = request.params;
    return act(action, { session: request.session, sessions, request: new NodeRequest(request.raw), value });
  });
  await app.ready();
  return app.server;
}
