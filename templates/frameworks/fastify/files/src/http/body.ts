// Which bodies are read, and how: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Add a content type here; the limit for all of them is `bodyLimit` in main.ts.
import formbody from "@fastify/formbody";
import type { FastifyInstance } from "fastify";
import { bodyFormat } from "../example/input.ts";

export function readBodies(app: FastifyInstance): void {
  app.register(formbody);

  // Session data has no prototype: "__proto__" is a key like any other.
  const parseJson = app.getDefaultJsonParser("ignore", "ignore");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body: string, done) => {
    // Many clients name a type even where they send nothing.
    if (body === "") done(null);
    else parseJson(request, body, done);
  });

  // Any other type isn't read: handlers that need a body miss it, and say so.
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  // Throws on what is compressed, and on charsets that Fastify would take for UTF-8.
  app.addHook("preParsing", async ({ headers }) => void bodyFormat(headers));
}
