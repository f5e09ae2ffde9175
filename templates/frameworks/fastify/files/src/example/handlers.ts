// The example's routes; what they do is in actions.ts. Delete src/example together with its line in src/main.ts.
import type { FastifyPluginAsync } from "fastify";
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

export function handlers(sessions: Sessions, config: Config): FastifyPluginAsync {
  return async (app) => {
    app.get("/", async (request, reply) => {
      // The page shows a user's own data, which no cache may keep.
      reply.type("text/html; charset=utf-8").header("Cache-Control", "no-store");
      return page(await actions.visit(request.session, sessions, config));
    });

    app.get("/session", async (request) => actions.show(request.session));

    // For clients that keep their token themselves: starts a session without a cookie.
    app.post("/session", async (request, reply) => {
      const { token, id } = await sessions.start(new NodeRequest(request.raw));
      return reply.code(201).header("Cache-Control", "no-store").send({ token, id });
    });

    app.post("/session/start", async (request, reply) => {
      request.session.start();
      return reply.redirect("/", 303);
    });

    app.delete("/session", async (request, reply) => {
      await request.session.destroy();
      return reply.code(204).send();
    });

    app.put<{ Params: { key: string } }>("/session/data/:key", async (request) => {
      return { data: actions.setValue(request.session, readKey(request.params.key), readValue(request.body)) };
    });

    app.delete<{ Params: { key: string } }>("/session/data/:key", async (request) => {
      return { data: actions.removeValue(request.session, readKey(request.params.key)) };
    });

    app.post("/session/data", async (request, reply) => {
      const { key, value } = readDataForm(request.body);
      actions.setValue(request.session, key, value);
      return reply.redirect("/", 303);
    });

    app.post("/session/data/delete", async (request, reply) => {
      actions.removeValue(request.session, readKeyForm(request.body));
      return reply.redirect("/", 303);
    });

    app.post("/login", async (request, reply) => {
      const { session } = request;
      await actions.signIn(session, readLogin(request.body), config);
      if (bodyFormat(request.headers) === "form") return reply.redirect("/", 303);
      // A browser's token is for its cookie only; a Bearer client gets its new token from nowhere but this response.
      return session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid };
    });

    app.post("/logout", async (request, reply) => {
      await request.session.destroy();
      // Without it, the browser's "Back" would show pages from before the sign-out.
      reply.header("Clear-Site-Data", '"cache"');
      if (bodyFormat(request.headers) === "form") return reply.redirect("/", 303);
      return reply.code(204).send();
    });

    app.get("/sessions", async (request) => actions.devices(request.session, sessions));

    app.delete<{ Params: { id: string } }>("/sessions/:id", async (request, reply) => {
      await actions.endDevice(request.session, sessions, readSessionId(request.params.id));
      return reply.code(204).send();
    });

    app.delete("/sessions", async (request) => {
      return { ended: await actions.endOtherDevices(request.session, sessions) };
    });

    app.post("/sessions/end", async (request, reply) => {
      await actions.endDevice(request.session, sessions, readSessionIdForm(request.body));
      return reply.redirect("/", 303);
    });

    app.post("/sessions/end-others", async (request, reply) => {
      await actions.endOtherDevices(request.session, sessions);
      return reply.redirect("/", 303);
    });

    app.get("/cart", async (request) => ({ cart: request.session.data.cart ?? {} }));

    app.post("/cart", async (request, reply) => {
      const { sku, quantity } = readCartItem(request.body);
      const cart = await actions.changeCart(request.session, sku, quantity);
      if (bodyFormat(request.headers) === "form") return reply.redirect("/", 303);
      return { cart };
    });
  };
}
