// Responds where no route did, to whatever a handler or the session plugin has thrown, and to requests that aren't HTTP.
// Change it where an error needs more than the page or the JSON that errors.ts makes of it.
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyReply, FastifyRequest } from "fastify";
import { removeRepresentation } from "../session/response-headers.ts";
import { type ErrorResponse, Problem, toResponse } from "./errors.ts";

export function notFound(): never {
  throw new Problem(404, "There is nothing at this address.");
}

export function errorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  removeRepresentation({ remove: (name) => reply.removeHeader(name) });
  const { status, headers, body } = respond(error, request, reply);
  // Fastify would close the connection before a browser that is still sending its body reads why.
  if (status === 400 || status === 413) reply.removeHeader("connection");
  return reply.code(status).headers(headers).send(body);
}

/** Responds to malformed URLs. They pass no hook, so that these requests have neither a session nor anything else of a plugin. */
export function respondToMalformedUrl(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = respond(error, request, reply);
  return reply.code(status).headers(headers).send(body);
}

/** For a handler that has taken `reply.raw` for itself, so that Fastify no longer responds. */
export function respondToRawError(error: unknown, request: FastifyRequest, response: ServerResponse): void {
  const { status, headers, body } = respond(error, request, response);
  response.writeHead(status, headers).end(body);
}

/** Responds to what isn't HTTP. Fastify's own response doesn't say that the connection ends, and clients would use it again. */
export function respondToClientError({ code }: ConnectionError, socket: Socket): void {
  if (code === "ECONNRESET" || socket.destroyed) return;
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[code as string] ?? 400;
  if (socket.writable) socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}

function respond(
  error: unknown,
  request: FastifyRequest,
  response: { hasHeader(name: string): boolean },
): ErrorResponse {
  return toResponse(error, {
    accept: request.headers.accept,
    hasHeader: (name) => response.hasHeader(name),
    log: (cause) => request.log.error(cause),
  });
}
