// Serves the actions of probe-actions.ts with this project's framework and adapter, for sessions.test.ts.
// Change it together with how src/main.ts sets up sessions.
import { createServer, type Server } from "node:http";
import express from "express";
import { errorHandler } from "../src/http/error-handler.ts";
import { sessionMiddleware } from "../src/session/adapter.ts";
import { NodeRequest } from "../src/session/request.ts";
import type { Sessions } from "../src/session/sessions.ts";
import { act } from "./probe-actions.ts";

export async function serveProbe(sessions: Sessions): Promise<Server> {
  const app = express();
  app.use(sessionMiddleware(sessions));
  app.post("/:action/:value", async (request, response) => {
    const { action, value } = request.params;
    const { session } = request;
    response.json(await act(action, { session, sessions, request: new NodeRequest(request), value }));
  });
  app.use(errorHandler);
  return createServer(app);
}
