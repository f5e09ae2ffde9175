// What sessions need to know of a request, whatever framework it comes from.
// Change it when a rule about sessions needs more of a request; then every adapter has to supply it.
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

export interface SessionRequest {
  /** The framework's own request object. It identifies the request where the middleware is mounted twice. */
  raw: object;
  method: string;
  /** Path and query, as the client sent them. */
  url: string;
  /** @param name in lower case */
  header(name: string): string | undefined;
  /** The Host header, or `:authority` in HTTP/2. */
  host: string | undefined;
  /** The address of the client, or of the last proxy. */
  remoteAddress: string | undefined;
  /** Whether this very connection is encrypted; a proxy in front may speak HTTPS all the same. */
  isHttps: boolean;
}

/** A request of node:http, node:http2 or a framework that is built on them. */
export class NodeRequest implements SessionRequest {
  readonly raw: IncomingMessage;
  readonly url: string;

  /** @param url the URL before a router has cut its mount path off */
  constructor(message: IncomingMessage, url = message.url ?? "/") {
    this.raw = message;
    this.url = url;
  }

  get method(): string {
    return this.raw.method ?? "GET";
  }

  header(name: string): string | undefined {
    return headerOf(this.raw, name);
  }

  get host(): string | undefined {
    return this.header("host") ?? this.header(":authority");
  }

  get remoteAddress(): string | undefined {
    return this.raw.socket.remoteAddress;
  }

  get isHttps(): boolean {
    return (this.raw.socket as Partial<TLSSocket>).encrypted === true;
  }
}

/** @param name in lower case */
export function headerOf({ headers }: Pick<IncomingMessage, "headers">, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Whether the request is the handshake of a WebSocket, whose session outlives it. */
export function isWebSocket(request: SessionRequest): boolean {
  return request.header("upgrade")?.toLowerCase() === "websocket";
}

/** Whether the request's path is one of `paths`, or lies below one. */
export function isBelow({ url }: SessionRequest, paths: readonly string[]): boolean {
  return paths.some((path) => {
    if (!url.startsWith(path)) return false;
    const next = url[path.length];
    return next === undefined || next === "/" || next === "?";
  });
}
