// The example's requests and answers; what they do is in actions.ts.
// Add a handler: one more route here. `ctx.session` is there in each of them.
import Router from "@koa/router";
import type { Context } from "koa";
import type { Config } from "../config.ts";
import { readBody } from "../http/body.ts";
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
  // One address for each thing: "/cart/" and "/Cart" are others than "/cart".
  const router = new Router({ sensitive: true, strict: true });
  router.use(readBody);

  router.get("/", async (ctx) => {
    ctx.type = "html";
    ctx.body = page(await actions.visit(ctx.session, sessions, config));
  });

  router.get("/session", (ctx) => {
    ctx.body = actions.show(ctx.session);
  });

  // For clients that keep their token themselves: a session of its own, without a cookie.
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
    ctx.body = { data: actions.setValue(ctx.session, readKey(ctx.params.key ?? ""), readValue(ctx.request.body)) };
  });

  router.delete("/session/data/{:key}", (ctx) => {
    ctx.body = { data: actions.removeValue(ctx.session, readKey(ctx.params.key ?? "")) };
  });

  router.post("/session/data", (ctx) => {
    const { key, value } = readDataForm(ctx.request.body);
    actions.setValue(ctx.session, key, value);
    back(ctx);
  });

  router.post("/session/data/delete", (ctx) => {
    actions.removeValue(ctx.session, readKey(readField(ctx.request.body, "key")));
    back(ctx);
  });

  router.post("/login", async (ctx) => {
    const { session } = ctx;
    const { userid, password } = readLogin(ctx.request.body);
    await actions.signIn(session, userid, password);
    if (isForm(ctx.get("content-type"))) return back(ctx);
    // A browser's token is for its cookie only; a Bearer client has nothing but this answer.
    ctx.body = session.bearer ? { userid: session.userid, token: session.token } : { userid: session.userid };
  });

  router.post("/logout", async (ctx) => {
    await ctx.session.destroy();
    if (isForm(ctx.get("content-type"))) return back(ctx);
    ctx.status = 204;
  });

  router.get("/sessions", async (ctx) => {
    ctx.body = await actions.devices(ctx.session, sessions);
  });

  router.delete("/sessions/:id", async (ctx) => {
    await actions.endDevice(ctx.session, sessions, readSessionId(ctx.params.id));
    ctx.status = 204;
  });

  router.delete("/sessions", async (ctx) => {
    ctx.body = { ended: await actions.endOtherDevices(ctx.session, sessions) };
  });

  router.post("/sessions/end", async (ctx) => {
    await actions.endDevice(ctx.session, sessions, readSessionId(readField(ctx.request.body, "id")));
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
    if (isForm(ctx.get("content-type"))) return back(ctx);
    ctx.body = { cart };
  });

  router.get("/health", async (ctx) => {
    const store = await sessions.health();
    ctx.status = store === "up" ? 200 : 503;
    ctx.set("Cache-Control", "no-store");
    ctx.body = { store };
  });

  router.get("/health/live", (ctx) => {
    ctx.body = { live: true };
  });

  return router;
}

function back(ctx: Context): void {
  ctx.status = 303;
  ctx.redirect("/");
}
