// The example's routes; what they do is in actions.ts. Delete src/example together with its line in src/main.ts.
import Router from "@koa/router";
import type { Context } from "koa";
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

export function handlers(sessions: Sessions, config: Config): Router {
  // Exactly one URL per resource: "/cart/" and "/Cart" are not "/cart".
  const router = new Router({ sensitive: true, strict: true });

  router.get("/", async (ctx) => {
    ctx.type = "html";
    // The page shows a user's own data, which no cache may keep.
    ctx.set("Cache-Control", "no-store");
    ctx.body = page(await actions.visit(ctx.session, sessions, config));
  });

  router.get("/session", (ctx) => {
    ctx.body = actions.show(ctx.session);
  });

  // For clients that keep their token themselves: starts a session without a cookie.
  router.post("/session", async (ctx) => {
    const { token, id } = await sessions.start(new NodeRequest(ctx.req));
    ctx.status = 201;
    ctx.set("Cache-Control", "no-store");
    ctx.body = { token, id };
  });

  router.post("/session/start", (ctx) => {
    ctx.session.start();
    back(ctx);
  });

  router.delete("/session", async (ctx) => {
    await ctx.session.destroy();
    ctx.status = 204;
  });

  router.put("/session/data/{:key}", (ctx) => {
    const { key = "" } = ctx.params;
    ctx.body = { data: actions.setValue(ctx.session, readKey(key), readValue(ctx.request.body)) };
  });

  router.delete("/session/data/{:key}", (ctx) => {
    const { key = "" } = ctx.params;
    ctx.body = { data: actions.removeValue(ctx.session, readKey(key)) };
  });

  router.post("/session/data", (ctx) => {
    const { key, value } = readDataForm(ctx.request.body);
    actions.setValue(ctx.session, key, value);
    back(ctx);
  });

  router.post("/session/data/delete", (ctx) => {
    actions.removeValue(ctx.session, readKeyForm(ctx.request.body));
    back(ctx);
  });

  router.post("/login", async (ctx) => {
    const { session } = ctx;
    await actions.signIn(session, readLogin(ctx.request.body), config);
    if (bodyFormat(ctx.headers) === "form") return back(ctx);
    // A browser's token is for its cookie only; a Bearer client gets its new token from nowhere but this response.
    ctx.body = session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid };
  });

  router.post("/logout", async (ctx) => {
    await ctx.session.destroy();
    // Without it, the browser's "Back" would show pages from before the sign-out.
    ctx.set("Clear-Site-Data", '"cache"');
    if (bodyFormat(ctx.headers) === "form") return back(ctx);
    ctx.status = 204;
  });

  router.get("/sessions", async (ctx) => {
    ctx.body = await actions.devices(ctx.session, sessions);
  });

  router.delete("/sessions/:id", async (ctx) => {
    const { id } = ctx.params;
    await actions.endDevice(ctx.session, sessions, readSessionId(id));
    ctx.status = 204;
  });

  router.delete("/sessions", async (ctx) => {
    ctx.body = { ended: await actions.endOtherDevices(ctx.session, sessions) };
  });

  router.post("/sessions/end", async (ctx) => {
    await actions.endDevice(ctx.session, sessions, readSessionIdForm(ctx.request.body));
    back(ctx);
  });

  router.post("/sessions/end-others", async (ctx) => {
    await actions.endOtherDevices(ctx.session, sessions);
    back(ctx);
  });

  router.get("/cart", (ctx) => {
    ctx.body = { cart: ctx.session.data.cart ?? {} };
  });

  router.post("/cart", async (ctx) => {
    const { sku, quantity } = readCartItem(ctx.request.body);
    const cart = await actions.changeCart(ctx.session, sku, quantity);
    if (bodyFormat(ctx.headers) === "form") return back(ctx);
    ctx.body = { cart };
  });

  return router;
}

function back(ctx: Context): void {
  ctx.status = 303;
  ctx.redirect("/");
}
