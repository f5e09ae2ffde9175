// How the adapters' suite serves a Hono app.
// Change it with test/runtime/adapter.ts, which says what it serves.
import type { Server } from "node:http";
import { Readable } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { stream } from "hono/streaming";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type AdapterFixture, LARGE, late, source, teapot, write } from "../../../test/runtime/adapter.ts";
import { type SessionEnv, sessionMiddleware } from "./files/src/session/adapter.ts";

export default {
  serve(sessions, handle, others = {}) {
    const app = new Hono<SessionEnv>();
    app.onError((error, c) => {
      const { status = 500 } = error as { status?: number };
      c.header("x-session", String(c.var.session.exists));
      return c.json({ error: error.message }, status as ContentfulStatusCode);
    });
    others.before?.(app);
    app.use(sessionMiddleware(sessions));
    others.behind?.(app);
    app.get("/public", (c) => c.text("hello"));
    app.get("/text", (c) => {
      write(c.var.session);
      return c.text("hello");
    });
    app.get("/redirect", (c) => {
      write(c.var.session);
      return c.redirect("/next", 303);
    });
    app.get("/empty", (c) => {
      write(c.var.session);
      return c.body(null, 204);
    });
    app.get("/stream", (c) => {
      write(c.var.session);
      return c.body(Readable.toWeb(Readable.from(source())) as ReadableStream, 200, { "Content-Type": "text/plain" });
    });
    app.get("/late", (c) => {
      c.header("Content-Type", "text/plain");
      return stream(c, async (out) => {
        for await (const piece of late(c.var.session)) await out.write(piece);
      });
    });
    app.get("/raw", async (c) => {
      write(c.var.session);
      c.env.outgoing?.writeHead(200, { "content-type": "text/plain" });
      c.env.outgoing?.end("hello");
      return RESPONSE_ALREADY_SENT;
    });
    app.get("/raw-stream", (c) => {
      write(c.var.session);
      if (c.env.outgoing !== undefined) Readable.from(source()).pipe(c.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    });
    app.get("/throws", (c) => {
      write(c.var.session);
      throw teapot();
    });
    app.get("/large", (c) => {
      write(c.var.session, LARGE);
      return c.redirect("/next", 303);
    });
    const respond = async (c: Context<SessionEnv>) => c.json({ result: (await handle(c.var.session)) ?? null });
    app.all("/handle", respond);
    app.use("/nested", (c, next) => {
      write(c.var.session, 1, "outer");
      return next();
    });
    app.route("/nested", new Hono<SessionEnv>().use(sessionMiddleware(sessions)).all("/", respond));
    app.notFound((c) => c.json({ error: `nothing here for ${(c as Context<SessionEnv>).var.session.userid}` }, 404));
    return createAdaptorServer({ fetch: app.fetch }) as Server;
  },
} satisfies AdapterFixture;
