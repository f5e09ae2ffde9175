// The example's requests and answers; what they do is in actions.ts.
// Add a handler: one more route here. `session` is there in each of them.

import type { Config } from "../config.ts";
import { redirect, sendHtml, sendJson, sendNothing } from "../http/answer.ts";
import { Router } from "../http/router.ts";
import { NodeRequest } from "../session/request.ts";
import type { Sessions } from "../session/sessions.ts";
import * as actions from "./actions.ts";
import {
  isForm,
  readCartItem,
  readDataForm,
  readField,
  readKey,
  readLogin,
  readSessionId,
  readValue,
} from "./input.ts";
import { page } from "./page.ts";

export function handlers(sessions: Sessions, config: Config): Router {
  const router = new Router();

  router.on("GET", "/", async ({ response, session }) => {
    sendHtml(response, page(await actions.visit(session, sessions, config)));
  });

  router.on("GET", "/session", ({ response, session }) => {
    sendJson(response, actions.show(session));
  });

  // For clients that keep their token themselves: a session of its own, without a cookie.
  router.on("POST", "/session", async ({ request, response }) => {
    const { token, id } = await sessions.start(new NodeRequest(request));
    response.setHeader("Cache-Control", "no-store");
    sendJson(response, { token, id }, 201);
  });

  router.on("POST", "/session/start", ({ response, session }) => {
    session.start();
    redirect(response, "/");
  });

  router.on("DELETE", "/session", async ({ response, session }) => {
    await session.destroy();
    sendNothing(response);
  });

  router.on("PUT", "/session/data/:key", ({ response, session, params, body }) => {
    sendJson(response, { data: actions.setValue(session, readKey(params.key), readValue(body)) });
  });

  router.on("DELETE", "/session/data/:key", ({ response, session, params }) => {
    sendJson(response, { data: actions.removeValue(session, readKey(params.key)) });
  });

  router.on("POST", "/session/data", ({ response, session, body }) => {
    const { key, value } = readDataForm(body);
    actions.setValue(session, key, value);
    redirect(response, "/");
  });

  router.on("POST", "/session/data/delete", ({ response, session, body }) => {
    actions.removeValue(session, readKey(readField(body, "key")));
    redirect(response, "/");
  });

  router.on("POST", "/login", async ({ request, response, session, body }) => {
    const { userid, password } = readLogin(body);
    await actions.signIn(session, userid, password);
    if (isForm(request.headers["content-type"])) return redirect(response, "/");
    // A browser's token is for its cookie only; a Bearer client has nothing but this answer.
    sendJson(response, session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid });
  });

  router.on("POST", "/logout", async ({ request, response, session }) => {
    await session.destroy();
    if (isForm(request.headers["content-type"])) return redirect(response, "/");
    sendNothing(response);
  });

  router.on("GET", "/sessions", async ({ response, session }) => {
    sendJson(response, await actions.devices(session, sessions));
  });

  router.on("DELETE", "/sessions/:id", async ({ response, session, params }) => {
    await actions.endDevice(session, sessions, readSessionId(params.id));
    sendNothing(response);
  });

  router.on("DELETE", "/sessions", async ({ response, session }) => {
    sendJson(response, { ended: await actions.endOtherDevices(session, sessions) });
  });

  router.on("POST", "/sessions/end", async ({ response, session, body }) => {
    await actions.endDevice(session, sessions, readSessionId(readField(body, "id")));
    redirect(response, "/");
  });

  router.on("POST", "/sessions/end-others", async ({ response, session }) => {
    await actions.endOtherDevices(session, sessions);
    redirect(response, "/");
  });

  router.on("GET", "/cart", ({ response, session }) => {
    sendJson(response, { cart: session.data.cart ?? {} });
  });

  router.on("POST", "/cart", async ({ request, response, session, body }) => {
    const { sku, quantity } = readCartItem(body);
    const cart = await actions.changeCart(session, sku, quantity);
    if (isForm(request.headers["content-type"])) return redirect(response, "/");
    sendJson(response, { cart });
  });

  router.on("GET", "/health", async ({ response }) => {
    const store = await sessions.health();
    response.setHeader("Cache-Control", "no-store");
    sendJson(response, { store }, store === "up" ? 200 : 503);
  });

  router.on("GET", "/health/live", ({ response }) => {
    sendJson(response, { live: true });
  });

  return router;
}
