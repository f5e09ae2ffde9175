// How the adapters' suite serves a Koa app.
// Change it with test/runtime/adapter.ts, which says what it serves.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import Router from "@koa/router";
import Koa from "koa";
import mount from "koa-mount";
import { type AdapterFixture, LARGE, late, source, teapot, write } from "../../../test/runtime/adapter.ts";
import { onError } from "./files/src/http/error-handler.ts";
import { sessionMiddleware } from "./files/src/session/adapter.ts";

export default {
  serve(sessions, handle, others = {}) {
    const app = new Koa();
    app.context.onerror = function (this: Koa.Context, error) {
      if (error) this.set("x-session", String(this.session.exists));
      onError.call(this, error);
    };
    others.before?.(app);
    app.use(sessionMiddleware(sessions));
    others.behind?.(app);
    const router = new Router();
    router.get("/public", (ctx) => {
      ctx.body = "hello";
    });
    router.get("/text", (ctx) => {
      write(ctx.session);
      ctx.body = "hello";
    });
    router.get("/redirect", (ctx) => {
      write(ctx.session);
      ctx.status = 303;
      ctx.redirect("/next");
    });
    router.get("/empty", (ctx) => {
      write(ctx.session);
      ctx.status = 204;
    });
    router.get("/stream", (ctx) => {
      write(ctx.session);
      ctx.type = "text";
      ctx.body = Readable.from(source());
    });
    router.get("/late", (ctx) => {
      ctx.type = "text";
      ctx.body = Readable.from(late(ctx.session));
    });
    router.get("/raw", (ctx) => {
      write(ctx.session);
      ctx.respond = false;
      ctx.res.writeHead(200, { "content-type": "text/plain" });
      ctx.res.end("hello");
    });
    router.get("/raw-stream", (ctx) => {
      write(ctx.session);
      ctx.respond = false;
      ctx.res.statusCode = 200;
      Readable.from(source()).pipe(ctx.res);
    });
    router.get("/throws", (ctx) => {
      write(ctx.session);
      ctx.etag = "of an answer that is not to be";
      ctx.throw(teapot());
    });
    router.get("/large", (ctx) => {
      write(ctx.session, LARGE);
      ctx.status = 303;
      ctx.redirect("/next");
    });
    const respond: Koa.Middleware = async (ctx) => {
      ctx.body = { result: (await handle(ctx.session)) ?? null };
    };
    router.all("/handle", respond);
    app.use(router.routes());
    const inner = new Koa().use(sessionMiddleware(sessions)).use(respond);
    app.use((ctx, next) => {
      if (ctx.path === "/nested") write(ctx.session, 1, "outer");
      return next();
    });
    app.use(mount("/nested", inner));
    app.use((ctx) => {
      ctx.status = 404;
      ctx.body = { error: `nothing here for ${ctx.session.userid}` };
    });
    return createServer(app.callback());
  },
} satisfies AdapterFixture;
