// Serves the actions of probe-actions.ts with this project's framework and adapter, for sessions.test.ts.
// Change it together with how src/main.ts sets up sessions.
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { onError } from "../src/http/error-handler.ts";
import { HonoSessionRequest, type SessionEnv, sessionMiddleware } from "../src/session/adapter.ts";
import type { Sessions } from "../src/session/sessions.ts";
import { act } from "./probe-actions.ts";

export async function serveProbe(sessions: Sessions): Promise<Server> {
  const app = new Hono<SessionEnv>();
  app.onError(onError);
  app.use(sessionMiddleware(sessions));
  app.post("/:action/:value", async (c) => {
    const { action, value } = c.req.param();
    return c.json(await act(action, { session: c.var.session, sessions, request: new HonoSessionRequest(c), value }));
  });
  return createAdaptorServer({ fetch: app.fetch }) as Server;
}
