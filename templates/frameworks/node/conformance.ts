// How the adapters' suite serves an app of node:http.
// Change it with test/runtime/adapter.ts, which says what it serves.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { type AdapterFixture, LARGE, late, source, teapot, write } from "../../../test/runtime/adapter.ts";
import { respondToError } from "./files/src/http/error-handler.ts";
import { sendJson } from "./files/src/http/respond.ts";
import { Router } from "./files/src/http/router.ts";
import { type Exchange, withSessions } from "./files/src/session/adapter.ts";

export default {
  errorsLackSession: true,
  serve(sessions, handle) {
    const router = new Router();
    const hello = ({ response }: Exchange) => void response.setHeader("content-type", "text/plain").end("hello");
    router.on("GET", "/public", hello);
    router.on("GET", "/text", (exchange) => {
      write(exchange.session);
      hello(exchange);
    });
    router.on("GET", "/redirect", ({ response, session }) => {
      write(session);
      response.writeHead(303, { location: "/next" }).end();
    });
    router.on("GET", "/empty", ({ response, session }) => {
      write(session);
      response.writeHead(204).end();
    });
    router.on("GET", "/stream", ({ response, session }) => {
      write(session);
      Readable.from(source()).pipe(response.setHeader("content-type", "text/plain"));
    });
    router.on("GET", "/late", ({ response, session }) => {
      Readable.from(late(session)).pipe(response.setHeader("content-type", "text/plain"));
    });
    router.on("GET", "/raw", ({ response, session }) => {
      write(session);
      response.writeHead(200, { "content-type": "text/plain" }).end("hello");
    });
    router.on("GET", "/raw-stream", ({ response, session }) => {
      write(session);
      Readable.from(source()).pipe(response);
    });
    router.on("GET", "/throws", ({ session }) => {
      write(session);
      throw teapot();
    });
    router.on("GET", "/large", ({ response, session }) => {
      write(session, LARGE);
      response.writeHead(303, { location: "/next" }).end();
    });
    const respond = async ({ response, session }: Exchange) =>
      sendJson(response, { result: (await handle(session)) ?? null });
    for (const method of ["GET", "PUT", "POST", "DELETE"]) router.on(method, "/handle", respond);
    const inner = withSessions(sessions, respond, respondToError);
    return createServer(
      withSessions(
        sessions,
        (exchange) => {
          const { request, response } = exchange;
          if (request.url !== "/nested") return router.handle(exchange);
          write(exchange.session, 1, "outer");
          inner(request, response);
        },
        respondToError,
      ),
    );
  },
} satisfies AdapterFixture;
