// How the adapters' suite serves an Express app.
// Change it with test/runtime/adapter.ts, which says what it serves.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { type AdapterFixture, LARGE, late, source, teapot, write } from "../../../test/runtime/adapter.ts";
import { sessionMiddleware } from "./files/src/session/adapter.ts";

const errorHandler: ErrorRequestHandler = (error, request, response, next) => {
  if (response.headersSent) return next(error);
  return response
    .status(error.status ?? 500)
    .set("x-session", String(request.session.exists))
    .json({ error: error.message });
};

export default {
  serve(sessions, handle, others = {}) {
    const app = express();
    others.before?.(app);
    app.use(sessionMiddleware(sessions));
    others.behind?.(app);
    app.get("/public", (_request, response) => response.type("text").send("hello"));
    app.get("/text", (request, response) => {
      write(request.session);
      response.type("text").send("hello");
    });
    app.get("/redirect", (request, response) => {
      write(request.session);
      response.redirect(303, "/next");
    });
    app.get("/empty", (request, response) => {
      write(request.session);
      response.status(204).end();
    });
    app.get("/stream", (request, response) => {
      write(request.session);
      Readable.from(source()).pipe(response.type("text"));
    });
    app.get("/late", (request, response) => {
      Readable.from(late(request.session)).pipe(response.type("text"));
    });
    app.get("/raw", (request, response) => {
      write(request.session);
      response.writeHead(200, { "content-type": "text/plain" });
      response.end("hello");
    });
    app.get("/raw-stream", (request, response) => {
      write(request.session);
      Readable.from(source()).pipe(response);
    });
    app.get("/throws", (request) => {
      write(request.session);
      throw teapot();
    });
    app.get("/large", (request, response) => {
      write(request.session, LARGE);
      response.redirect(303, "/next");
    });
    const respond: RequestHandler = async (request, response) => {
      response.json({ result: (await handle(request.session)) ?? null });
    };
    app.all("/handle", respond);
    const inner = express().use(sessionMiddleware(sessions), respond);
    app.use("/nested", (request, _response, next) => {
      write(request.session, 1, "outer");
      next();
    });
    app.use("/nested", inner);
    app.use((request, response) => {
      response.status(404).json({ error: `nothing here for ${request.session.userid}` });
    });
    app.use(errorHandler);
    return createServer(app);
  },
} satisfies AdapterFixture;
