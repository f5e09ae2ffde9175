// Reads request bodies: JSON and forms, up to 256 kB. Handlers find them in request.body, and have to check them.
// Add a content type here and in body-format.ts; change the limit here.
import formbody from "@fastify/formbody";
import type { FastifyInstance } from "fastify";
import { bodyFormat } from "./body-format.ts";

export const MAX_BODY_BYTES = 256 * 1024;

export function readBodies(app: FastifyInstance): void {
  app.register(formbody);

  // Session data has no prototype, so that "__proto__" is a key like any other.
  const parseJson = app.getDefaultJsonParser("ignore", "ignore");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body: string, done) => {
    // Many clients name a type even where they send nothing.
    if (body === "") done(null);
    else parseJson(request, body, done);
  });

  // A body of any other type isn't read; handlers that need one report that it is missing.
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  // Rejects compressed bodies, and charsets that Fastify would take for UTF-8.
  app.addHook("preParsing", async ({ headers }) => void bodyFormat(headers));
}
