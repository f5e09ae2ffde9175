// How the adapters' suite serves a Fastify app.
// Change it with test/runtime/adapter.ts, which says what it serves.
import { Readable } from "node:stream";
import Fastify, { type FastifyRequest } from "fastify";
import { type AdapterFixture, LARGE, late, source, teapot, write } from "../../../test/runtime/adapter.ts";
import { respondToRawError } from "./files/src/http/error-handler.ts";
import { sessionPlugin } from "./files/src/session/adapter.ts";

export default {
  async serve(sessions, handle, others = {}) {
    const app = Fastify();
    app.setErrorHandler((error: Error & { status?: number }, request, reply) =>
      reply
        .code(error.status ?? 500)
        .header("x-session", String(request.session.exists))
        .send({ error: error.message }),
    );
    app.setNotFoundHandler((request, reply) =>
      reply.code(404).send({ error: `nothing here for ${request.session.userid}` }),
    );
    await others.before?.(app);
    app.register(sessionPlugin, { sessions, respondToRawError });
    await others.behind?.(app);
    app.addHook("preHandler", async (request) => {
      if (request.url === "/nested") write(request.session, 1, "outer");
    });
    app.get("/public", async () => "hello");
    app.get("/text", async (request) => {
      write(request.session);
      return "hello";
    });
    app.get("/redirect", async (request, reply) => {
      write(request.session);
      return reply.redirect("/next", 303);
    });
    app.get("/empty", async (request, reply) => {
      write(request.session);
      return reply.code(204).send();
    });
    app.get("/stream", async (request, reply) => {
      write(request.session);
      return reply.type("text/plain").send(Readable.from(source()));
    });
    app.get("/late", async (request, reply) => {
      return reply.type("text/plain").send(Readable.from(late(request.session)));
    });
    app.get("/raw", async (request, reply) => {
      write(request.session);
      reply.hijack();
      reply.raw.writeHead(200, { "content-type": "text/plain" });
      reply.raw.end("hello");
    });
    app.get("/raw-stream", async (request, reply) => {
      write(request.session);
      reply.hijack();
      Readable.from(source()).pipe(reply.raw);
    });
    app.get("/throws", async (request) => {
      write(request.session);
      throw teapot();
    });
    app.get("/large", async (request, reply) => {
      write(request.session, LARGE);
      return reply.redirect("/next", 303);
    });
    const respond = async (request: FastifyRequest) => ({ result: (await handle(request.session)) ?? null });
    app.all("/handle", respond);
    app.register(async (scope) => {
      scope.register(sessionPlugin, { sessions, respondToRawError });
      scope.all("/nested", respond);
    });
    await app.ready();
    return app.server;
  },
} satisfies AdapterFixture;
