// The example's requests and answers; what they do is in actions.ts.
// Add a handler: one more route here. `request.session` is there in each of them.
import { type ErrorRequestHandler, type RequestHandler, Router } from "express";
import type { Config } from "../config.ts";
import { readBody } from "../http/body.ts";
import { answerTo, Problem } from "../http/errors.ts";
import { NodeRequest } from "../session/request.ts";
import type { Sessions } from "../session/sessions.ts";
import * as actions from "./actions.ts";
import { isForm, readCartItem, readDataForm, readKey, readLogin, readSessionId, readValue } from "./input.ts";
import { page } from "./page.ts";

export function handlers(sessions: Sessions, config: Config): Router {
  // One address for each thing: "/cart/" and "/Cart" are others than "/cart".
  const router = Router({ caseSensitive: true, strict: true });
  router.use(readBody);

  router.get("/", async (request, response) => {
    response.type("html").send(page(await actions.visit(request.session, sessions, config)));
  });

  router.get("/session", (request, response) => {
    response.json(actions.show(request.session));
  });

  // For clients that keep their token themselves: a session of its own, without a cookie.
  router.post("/session", async (request, response) => {
    const { token, id } = await sessions.start(new NodeRequest(request));
    response.status(201).set("Cache-Control", "no-store").json({ token, id });
  });

  router.post("/session/start", (request, response) => {
    request.session.start();
    response.redirect(303, "/");
  });

  router.delete("/session", async (request, response) => {
    await request.session.destroy();
    response.status(204).end();
  });

  router.put("/session/data/{:key}", (request, response) => {
    const data = actions.setValue(request.session, readKey(request.params.key ?? ""), readValue(request.body));
    response.json({ data });
  });

  router.delete("/session/data/{:key}", (request, response) => {
    response.json({ data: actions.removeValue(request.session, readKey(request.params.key ?? "")) });
  });

  router.post("/session/data", (request, response) => {
    const { key, value } = readDataForm(request.body);
    actions.setValue(request.session, key, value);
    response.redirect(303, "/");
  });

  router.post("/session/data/delete", (request, response) => {
    actions.removeValue(request.session, readKey(request.body?.key));
    response.redirect(303, "/");
  });

  router.post("/login", async (request, response) => {
    const { session } = request;
    const { userid, password } = readLogin(request.body);
    await actions.signIn(session, userid, password);
    if (isForm(request.get("content-type"))) return response.redirect(303, "/");
    // A browser's token is for its cookie only; a Bearer client has nothing but this answer.
    return response.json(
      session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid },
    );
  });

  router.post("/logout", async (request, response) => {
    await request.session.destroy();
    if (isForm(request.get("content-type"))) return response.redirect(303, "/");
    return response.status(204).end();
  });

  router.get("/sessions", async (request, response) => {
    response.json(await actions.devices(request.session, sessions));
  });

  router.delete("/sessions/:id", async (request, response) => {
    await actions.endDevice(request.session, sessions, readSessionId(request.params.id));
    response.status(204).end();
  });

  router.delete("/sessions", async (request, response) => {
    response.json({ ended: await actions.endOtherDevices(request.session, sessions) });
  });

  router.post("/sessions/end", async (request, response) => {
    await actions.endDevice(request.session, sessions, readSessionId(request.body?.id));
    response.redirect(303, "/");
  });

  router.post("/sessions/end-others", async (request, response) => {
    await actions.endOtherDevices(request.session, sessions);
    response.redirect(303, "/");
  });

  router.get("/cart", (request, response) => {
    response.json({ cart: request.session.data.cart ?? {} });
  });

  router.post("/cart", async (request, response) => {
    const { sku, quantity } = readCartItem(request.body);
    const cart = await actions.changeCart(request.session, sku, quantity);
    if (isForm(request.get("content-type"))) return response.redirect(303, "/");
    return response.json({ cart });
  });

  router.get("/health", async (_request, response) => {
    const store = await sessions.health();
    response
      .status(store === "up" ? 200 : 503)
      .set("Cache-Control", "no-store")
      .json({ store });
  });

  router.get("/health/live", (_request, response) => {
    response.json({ live: true });
  });

  router.use(notFound);
  return router;
}

const notFound: RequestHandler = () => {
  throw new Problem(404, "There is nothing at this address.");
};

/** The last middleware: answers what a handler or the session middleware has thrown. */
export const errorHandler: ErrorRequestHandler = (error, request, response, next) => {
  if (response.headersSent) return next(error);
  const { status, headers, body } = answerTo(error, request.get("accept"), console.error);
  return response.status(status).set(headers).send(body);
};
