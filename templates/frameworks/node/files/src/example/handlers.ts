// The example's routes; what they do is in actions.ts. Delete src/example together with its line in src/main.ts.
import type { ServerResponse } from "node:http";
import type { Config } from "../config.ts";
import { bodyFormat } from "../http/body-format.ts";
import { sendJson } from "../http/respond.ts";
import type { Router } from "../http/router.ts";
import { NodeRequest } from "../session/request.ts";
import type { Sessions } from "../session/sessions.ts";
import * as actions from "./actions.ts";
import {
  readCartItem,
  readDataForm,
  readKey,
  readKeyForm,
  readLogin,
  readSessionId,
  readSessionIdForm,
  readValue,
} from "./input.ts";
import { page } from "./page.ts";

export function addHandlers(router: Router, sessions: Sessions, config: Config): void {
  router.on("GET", "/", async ({ response, session }) => {
    // The page shows a user's own data, which no cache may keep.
    response.setHeader("Cache-Control", "no-store");
    sendHtml(response, page(await actions.visit(session, sessions, config)));
  });

  router.on("GET", "/session", ({ response, session }) => {
    sendJson(response, actions.show(session));
  });

  // For clients that keep their token themselves: starts a session without a cookie.
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

  router.on("PUT", "/session/data/:key", ({ response, session, params: { key }, body }) => {
    sendJson(response, { data: actions.setValue(session, readKey(key), readValue(body)) });
  });

  router.on("DELETE", "/session/data/:key", ({ response, session, params: { key } }) => {
    sendJson(response, { data: actions.removeValue(session, readKey(key)) });
  });

  router.on("POST", "/session/data", ({ response, session, body }) => {
    const { key, value } = readDataForm(body);
    actions.setValue(session, key, value);
    redirect(response, "/");
  });

  router.on("POST", "/session/data/delete", ({ response, session, body }) => {
    actions.removeValue(session, readKeyForm(body));
    redirect(response, "/");
  });

  router.on("POST", "/login", async ({ request, response, session, body }) => {
    await actions.signIn(session, readLogin(body), config);
    if (bodyFormat(request.headers) === "form") return redirect(response, "/");
    // A browser's token is for its cookie only; a Bearer client gets its new token from nowhere but this response.
    sendJson(response, session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid });
  });

  router.on("POST", "/logout", async ({ request, response, session }) => {
    await session.destroy();
    // Without it, the browser's "Back" would show pages from before the sign-out.
    response.setHeader("Clear-Site-Data", '"cache"');
    if (bodyFormat(request.headers) === "form") return redirect(response, "/");
    sendNothing(response);
  });

  router.on("GET", "/sessions", async ({ response, session }) => {
    sendJson(response, await actions.devices(session, sessions));
  });

  router.on("DELETE", "/sessions/:id", async ({ response, session, params: { id } }) => {
    await actions.endDevice(session, sessions, readSessionId(id));
    sendNothing(response);
  });

  router.on("DELETE", "/sessions", async ({ response, session }) => {
    sendJson(response, { ended: await actions.endOtherDevices(session, sessions) });
  });

  router.on("POST", "/sessions/end", async ({ response, session, body }) => {
    await actions.endDevice(session, sessions, readSessionIdForm(body));
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
    if (bodyFormat(request.headers) === "form") return redirect(response, "/");
    sendJson(response, { cart });
  });
}

function sendHtml(response: ServerResponse, markup: string): void {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(markup);
}

function sendNothing(response: ServerResponse): void {
  response.statusCode = 204;
  response.end();
}

/** After a form: the browser goes on with GET, and a reload doesn't send the form again. */
function redirect(response: ServerResponse, location: string): void {
  response.statusCode = 303;
  response.setHeader("Location", location);
  response.end();
}
