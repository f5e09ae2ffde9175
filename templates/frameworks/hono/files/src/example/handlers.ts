// The example's requests and answers; what they do is in actions.ts.
// Add a handler: one more route here. `c.var.session` is there in each of them.
import { Hono } from "hono";
import type { Config } from "../config.ts";
import { type BodyEnv, readBody } from "../http/body.ts";
import { HonoSessionRequest, type SessionEnv } from "../session/adapter.ts";
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

export function handlers(sessions: Sessions, config: Config): Hono<SessionEnv & BodyEnv> {
  const app = new Hono<SessionEnv & BodyEnv>();
  app.use(readBody);

  app.get("/", async (c) => c.html(page(await actions.visit(c.var.session, sessions, config))));

  app.get("/session", (c) => c.json(actions.show(c.var.session)));

  // For clients that keep their token themselves: a session of its own, without a cookie.
  app.post("/session", async (c) => {
    const { token, id } = await sessions.start(new HonoSessionRequest(c));
    return c.json({ token, id }, 201, { "Cache-Control": "no-store" });
  });

  app.post("/session/start", (c) => {
    c.var.session.start();
    return c.redirect("/", 303);
  });

  app.delete("/session", async (c) => {
    await c.var.session.destroy();
    return c.body(null, 204);
  });

  // A key may be empty; ".." never arrives, since every URL's parser folds it.
  app.put("/session/data/:key{[^/]*}", (c) => {
    return c.json({ data: actions.setValue(c.var.session, readKey(c.req.param("key")), readValue(c.var.body)) });
  });

  app.delete("/session/data/:key{[^/]*}", (c) => {
    return c.json({ data: actions.removeValue(c.var.session, readKey(c.req.param("key"))) });
  });

  app.post("/session/data", (c) => {
    const { key, value } = readDataForm(c.var.body);
    actions.setValue(c.var.session, key, value);
    return c.redirect("/", 303);
  });

  app.post("/session/data/delete", (c) => {
    actions.removeValue(c.var.session, readKey(readField(c.var.body, "key")));
    return c.redirect("/", 303);
  });

  app.post("/login", async (c) => {
    const { session, body } = c.var;
    const { userid, password } = readLogin(body);
    await actions.signIn(session, userid, password);
    if (isForm(c.req.header("content-type"))) return c.redirect("/", 303);
    // A browser's token is for its cookie only; a Bearer client has nothing but this answer.
    return c.json(session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid });
  });

  app.post("/logout", async (c) => {
    await c.var.session.destroy();
    return isForm(c.req.header("content-type")) ? c.redirect("/", 303) : c.body(null, 204);
  });

  app.get("/sessions", async (c) => c.json(await actions.devices(c.var.session, sessions)));

  app.delete("/sessions/:id", async (c) => {
    await actions.endDevice(c.var.session, sessions, readSessionId(c.req.param("id")));
    return c.body(null, 204);
  });

  app.delete("/sessions", async (c) => c.json({ ended: await actions.endOtherDevices(c.var.session, sessions) }));

  app.post("/sessions/end", async (c) => {
    await actions.endDevice(c.var.session, sessions, readSessionId(readField(c.var.body, "id")));
    return c.redirect("/", 303);
  });

  app.post("/sessions/end-others", async (c) => {
    await actions.endOtherDevices(c.var.session, sessions);
    return c.redirect("/", 303);
  });

  app.get("/cart", (c) => c.json({ cart: c.var.session.data.cart ?? {} }));

  app.post("/cart", async (c) => {
    const { sku, quantity } = readCartItem(c.var.body);
    const cart = await actions.changeCart(c.var.session, sku, quantity);
    return isForm(c.req.header("content-type")) ? c.redirect("/", 303) : c.json({ cart });
  });

  app.get("/health", async (c) => {
    const store = await sessions.health();
    return c.json({ store }, store === "up" ? 200 : 503, { "Cache-Control": "no-store" });
  });

  app.get("/health/live", (c) => c.json({ live: true }));

  return app;
}
