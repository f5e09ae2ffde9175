// Serves the actions of probe-actions.ts with this project's framework and adapter, for sessions.test.ts.
// Change it together with how src/main.ts sets up sessions.
import { createServer, type Server } from "node:http";
import Router from "@koa/router";
import Koa from "koa";
import { onError } from "../src/http/error-handler.ts";
import { sessionMiddleware } from "../src/session/adapter.ts";
import { NodeRequest } from "../src/session/request.ts";
import type { Sessions } from "../src/session/sessions.ts";
import { act } from "./probe-actions.ts";

export async function serveProbe(sessions: Sessions): Promise<Server> {
  const app = new Koa();
  app.context.onerror = onError;
  app.use(sessionMiddleware(sessions));
  const router = new Router();
  router.post("/:action/:value", async (ctx) => {
    const { action = "", value = "" } = ctx.params;
    ctx.body = await act(action, { session: ctx.session, sessions, request: new NodeRequest(ctx.req), value });
  });
  app.use(router.routes());
  return createServer(app.callback());
}
