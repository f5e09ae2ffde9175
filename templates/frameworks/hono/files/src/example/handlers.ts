// The example's routes; what they do is in actions.ts. Delete src/example together with its line in src/main.ts.
import { Hono } from "hono";
import type { Config } from "../config.ts";
import type { AppEnv } from "../http/body.ts";
import { bodyFormat } from "../http/body-format.ts";
import { HonoSessionRequest } from "../session/adapter.ts";
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

export function handlers(sessions: Sessions, config: Config): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get("/", async (c) => {
    // The page shows a user's own data, which no cache may keep.
    c.header("Cache-Control", "no-store");
    return c.html(page(await actions.visit(c.var.session, sessions, config)));
  });

  app.get("/session", (c) => c.json(actions.show(c.var.session)));

  // For clients that keep their token themselves: starts a session without a cookie.
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
    actions.removeValue(c.var.session, readKeyForm(c.var.body));
    return c.redirect("/", 303);
  });

  app.post("/login", async (c) => {
    const { session, body } = c.var;
    await actions.signIn(session, readLogin(body), config);
    if (bodyFormat(c.req.header()) === "form") return c.redirect("/", 303);
    // A browser's token is for its cookie only; a Bearer client gets its new token from nowhere but this response.
    return c.json(session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid });
  });

  app.post("/logout", async (c) => {
    await c.var.session.destroy();
    // Without it, the browser's "Back" would show pages from before the sign-out.
    c.header("Clear-Site-Data", '"cache"');
    return bodyFormat(c.req.header()) === "form" ? c.redirect("/", 303) : c.body(null, 204);
  });

  app.get("/sessions", async (c) => c.json(await actions.devices(c.var.session, sessions)));

  app.delete("/sessions/:id", async (c) => {
    await actions.endDevice(c.var.session, sessions, readSessionId(c.req.param("id")));
    return c.body(null, 204);
  });

  app.delete("/sessions", async (c) => c.json({ ended: await actions.endOtherDevices(c.var.session, sessions) }));

  app.post("/sessions/end", async (c) => {
    await actions.endDevice(c.var.session, sessions, readSessionIdForm(c.var.body));
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
    return bodyFormat(c.req.header()) === "form" ? c.redirect("/", 303) : c.json({ cart });
  });

  return app;
}
