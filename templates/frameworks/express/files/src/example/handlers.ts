// The example's routes; what they do is in actions.ts. Delete src/example together with its line in src/main.ts.
import type { Express } from "express";
import type { Config } from "../config.ts";
import { bodyFormat } from "../http/body-format.ts";
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

export function addHandlers(app: Express, sessions: Sessions, config: Config): void {
  app.get("/", async (request, response) => {
    // The page shows a user's own data, which no cache may keep.
    response
      .type("html")
      .set("Cache-Control", "no-store")
      .send(page(await actions.visit(request.session, sessions, config)));
  });

  app.get("/session", (request, response) => {
    response.json(actions.show(request.session));
  });

  // For clients that keep their token themselves: starts a session without a cookie.
  app.post("/session", async (request, response) => {
    const { token, id } = await sessions.start(new NodeRequest(request));
    response.status(201).set("Cache-Control", "no-store").json({ token, id });
  });

  app.post("/session/start", (request, response) => {
    request.session.start();
    response.redirect(303, "/");
  });

  app.delete("/session", async (request, response) => {
    await request.session.destroy();
    response.status(204).end();
  });

  app.put("/session/data/{:key}", (request, response) => {
    const data = actions.setValue(request.session, readKey(request.params.key ?? ""), readValue(request.body));
    response.json({ data });
  });

  app.delete("/session/data/{:key}", (request, response) => {
    response.json({ data: actions.removeValue(request.session, readKey(request.params.key ?? "")) });
  });

  app.post("/session/data", (request, response) => {
    const { key, value } = readDataForm(request.body);
    actions.setValue(request.session, key, value);
    response.redirect(303, "/");
  });

  app.post("/session/data/delete", (request, response) => {
    actions.removeValue(request.session, readKeyForm(request.body));
    response.redirect(303, "/");
  });

  app.post("/login", async (request, response) => {
    const { session } = request;
    await actions.signIn(session, readLogin(request.body), config);
    if (bodyFormat(request.headers) === "form") return response.redirect(303, "/");
    // A browser's token is for its cookie only; a Bearer client gets its new token from nowhere but this response.
    return response.json(
      session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid },
    );
  });

  app.post("/logout", async (request, response) => {
    await request.session.destroy();
    // Without it, the browser's "Back" would show pages from before the sign-out.
    response.set("Clear-Site-Data", '"cache"');
    if (bodyFormat(request.headers) === "form") return response.redirect(303, "/");
    return response.status(204).end();
  });

  app.get("/sessions", async (request, response) => {
    response.json(await actions.devices(request.session, sessions));
  });

  app.delete("/sessions/:id", async (request, response) => {
    await actions.endDevice(request.session, sessions, readSessionId(request.params.id));
    response.status(204).end();
  });

  app.delete("/sessions", async (request, response) => {
    response.json({ ended: await actions.endOtherDevices(request.session, sessions) });
  });

  app.post("/sessions/end", async (request, response) => {
    await actions.endDevice(request.session, sessions, readSessionIdForm(request.body));
    response.redirect(303, "/");
  });

  app.post("/sessions/end-others", async (request, response) => {
    await actions.endOtherDevices(request.session, sessions);
    response.redirect(303, "/");
  });

  app.get("/cart", (request, response) => {
    response.json({ cart: request.session.data.cart ?? {} });
  });

  app.post("/cart", async (request, response) => {
    const { sku, quantity } = readCartItem(request.body);
    const cart = await actions.changeCart(request.session, sku, quantity);
    if (bodyFormat(request.headers) === "form") return response.redirect(303, "/");
    return response.json({ cart });
  });
}
