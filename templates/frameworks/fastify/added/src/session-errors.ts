// Responds where a handler has taken `reply.raw` for itself and its session can't be saved: Fastify's error handler is not asked then.
// Change here what such a response looks like.
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { FastifyRequest } from "fastify";

export function respondToRawError(error: unknown, request: FastifyRequest, response: ServerResponse): void {
  request.log.error(error);
  const { statusCode = 500, headers } = error as { statusCode?: number; headers?: Record<string, string> };
  response.writeHead(statusCode, { ...headers, "content-type": "text/plain" }).end(STATUS_CODES[statusCode]);
}
