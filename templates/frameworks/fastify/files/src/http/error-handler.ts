// Answers what went wrong: nothing at that address, an error that was thrown, a request that isn't HTTP.
// Change it where an error needs another answer than the page or JSON that problem.ts makes of it.
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyReply, FastifyRequest } from "fastify";
import { answerTo, Problem } from "./errors.ts";

export function notFound(): never {
  throw new Problem(404, "There is nothing at this address.");
}

export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = answerTo(error, request.headers.accept, (cause) => request.log.error(cause));
  // Fastify would hang up before a browser that is still sending such a body reads why.
  if ((status === 400 || status === 413) && reply.hasHeader("connection")) reply.removeHeader("connection");
  return reply.code(status).headers(headers).send(body);
}

/** Where Fastify has let go of the reply. */
export function answerRaw(error: unknown, request: FastifyRequest, response: ServerResponse): void {
  const { status, headers, body } = answerTo(error, request.headers.accept, (cause) => request.log.error(cause));
  response.writeHead(status, headers).end(body);
}

/** Answers what isn't HTTP. Fastify's own answer doesn't say that the connection ends, and clients would use it again. */
export function answerClientError({ code }: ConnectionError, socket: Socket): void {
  if (code === "ECONNRESET" || socket.destroyed) return;
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[code as string] ?? 400;
  if (socket.writable) socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}
