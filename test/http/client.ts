// A plain HTTP client with a small cookie jar: low enough to see each Set-Cookie, to stop half way and to break the rules.
// Change it when the suite has to send something that it can't send yet; it must never know what serves it.

import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Each Set-Cookie header, as it came. */
  setCookies: string[];
  text: string;
  json: Body;
}

// The suite reads bodies as a JavaScript client would: their shape is what the tests check.
// biome-ignore lint/suspicious/noExplicitAny: the shape of a body is what the tests check
export type Body = any;

export interface RequestOptions {
  headers?: Record<string, string | string[]>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as application/x-www-form-urlencoded. */
  form?: Record<string, string> | string;
  /** Sent as it is. */
  body?: string | Buffer;
}

/** Every session token that this process has received, in a cookie or in a body. */
export const tokensSeen = new Set<string>();

/** How long a response may take; it is long since the machine may be busy. */
const TIMEOUT_MS = 20_000;
const HANG_UP_CODES = ["ECONNRESET", "EPIPE"];

/** A session cookie's parts; attribute names in lower case. */
export interface Cookie {
  name: string;
  value: string;
  attributes: Map<string, string>;
}

export function parseSetCookie(header: string): Cookie {
  const [pair = "", ...rest] = header.split(";");
  const attributes = new Map<string, string>();
  for (const part of rest) {
    const [name = "", ...value] = part.split("=");
    attributes.set(name.trim().toLowerCase(), value.join("=").trim());
  }
  const equals = pair.indexOf("=");
  return { name: pair.slice(0, equals).trim(), value: pair.slice(equals + 1).trim(), attributes };
}

/** Whether a Set-Cookie header makes a browser forget the cookie. */
export function clears(cookie: Cookie): boolean {
  const maxAge = cookie.attributes.get("max-age");
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  const expires = cookie.attributes.get("expires");
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

/** A request whose body the test sends piece by piece. */
export interface OpenRequest {
  write(text: string): Promise<void>;
  /** Sends the last piece and resolves to the response. */
  finish(text?: string): Promise<HttpResponse>;
  /** Hangs up. */
  abort(): void;
  /** Resolves once the app is handling the request; only for requests that were begun with `Expect: 100-continue`. */
  handled: Promise<void>;
}

/** One browser, or one program: its own cookies and its own connections. */
export class Client {
  readonly cookies = new Map<string, string>();
  /** Sent with every request. */
  readonly headers: Record<string, string>;
  readonly #url: () => string;
  readonly #agent: Agent;

  constructor(url: () => string, headers: Record<string, string> = {}) {
    this.#url = url;
    this.headers = headers;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 64 });
  }

  get(path: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.send("GET", path, options);
  }
  head(path: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.send("HEAD", path, options);
  }
  post(path: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.send("POST", path, options);
  }
  put(path: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.send("PUT", path, options);
  }
  delete(path: string, options?: RequestOptions): Promise<HttpResponse> {
    return this.send("DELETE", path, options);
  }

  /** Sets one key of the session's data. */
  set(key: string, value: unknown, options: RequestOptions = {}): Promise<HttpResponse> {
    return this.put(`/session/data/${encodeURIComponent(key)}`, { ...options, json: { value } });
  }

  send(method: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
    const [body, type] = encode(options);
    const outgoing = this.#open(method, path, options, type, body === undefined ? undefined : Buffer.byteLength(body));
    const reply = readResponse(outgoing, (it) => this.#remember(it));
    outgoing.end(body);
    return reply.catch((error) => {
      // A kept connection may be closed by the server in the moment in which it is used again. As browsers do, what can
      // be repeated without harm is.
      const isStale = outgoing.reusedSocket && HANG_UP_CODES.includes(error.code) && method !== "POST";
      if (isStale) return this.send(method, path, options);
      throw error;
    });
  }

  /** Starts a request and leaves it open: nothing of its body is sent yet. */
  begin(method: string, path: string, options: RequestOptions = {}): OpenRequest {
    const outgoing = this.#open(method, path, options, "application/json", undefined);
    const reply = readResponse(outgoing, (it) => this.#remember(it));
    // Aborting rejects it with nobody listening; `finish` hands the same promise to the test.
    reply.catch(() => {});
    // Node's server writes "100 Continue" in the very turn in which it hands the request to the app.
    const handled = new Promise<void>((resolve) => outgoing.once("continue", resolve));
    outgoing.flushHeaders();
    return {
      handled,
      write: (text) =>
        new Promise((resolve, reject) => outgoing.write(text, (error) => (error ? reject(error) : resolve()))),
      finish: (text) => {
        outgoing.end(text);
        return reply;
      },
      abort: () => outgoing.destroy(),
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(
    method: string,
    path: string,
    options: RequestOptions,
    type: string | undefined,
    length: number | undefined,
  ): ClientRequest {
    const { hostname, port } = new URL(this.#url());
    const headers: Record<string, string | string[] | number> = { ...this.headers };
    if (this.cookies.size) headers.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (type) headers["content-type"] = type;
    if (length !== undefined) headers["content-length"] = length;
    else if (method === "POST" && type === undefined) headers["content-length"] = 0;
    return request({
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port,
      method,
      path,
      headers: { ...headers, ...options.headers },
      agent: this.#agent,
      timeout: TIMEOUT_MS,
    });
  }

  #remember(reply: HttpResponse): void {
    for (const [token] of [reply.json?.token ?? "", ...reply.setCookies]
      .join(" ")
      .matchAll(/(?<![\w-])[\w-]{64}(?![\w-])/g)) {
      tokensSeen.add(token);
    }
    for (const cookie of reply.setCookies.map(parseSetCookie)) {
      if (clears(cookie)) this.cookies.delete(cookie.name);
      else this.cookies.set(cookie.name, cookie.value);
    }
  }
}

function encode(options: RequestOptions): [body: string | Buffer | undefined, type: string | undefined] {
  if (options.json !== undefined) return [JSON.stringify(options.json), "application/json"];
  if (typeof options.form === "string") return [options.form, "application/x-www-form-urlencoded"];
  if (options.form) return [new URLSearchParams(options.form).toString(), "application/x-www-form-urlencoded"];
  return [options.body, undefined];
}

function readResponse(outgoing: ClientRequest, remember: (reply: HttpResponse) => void): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("timeout", () =>
      outgoing.destroy(new Error(`no response within ${TIMEOUT_MS} ms: ${outgoing.method} ${outgoing.path}`)),
    );
    outgoing.on("response", (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on("error", reject);
      incoming.on("data", (piece: Buffer) => pieces.push(piece));
      incoming.on("end", () => {
        const text = Buffer.concat(pieces).toString();
        const reply = {
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          setCookies: incoming.headers["set-cookie"] ?? [],
          text,
          json: /json/.test(incoming.headers["content-type"] ?? "") && text ? JSON.parse(text) : undefined,
        };
        remember(reply);
        resolve(reply);
      });
    });
  });
}

/** For requests that a server may cut short: status 0 where it hung up while the client was still sending. */
export async function orHangUp(sending: Promise<HttpResponse>): Promise<Pick<HttpResponse, "status" | "text">> {
  try {
    return await sending;
  } catch (error) {
    if (!HANG_UP_CODES.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return { status: 0, text: "" };
  }
}

/**
 * Sends bytes as they are on a connection of their own and waits until the server closes it, so they must ask for that
 * or be malformed. The status of the (first) response, 0 where the server only hung up.
 */
export function sendRaw(
  url: string,
  bytes: string | Buffer,
  { hangUp = false } = {},
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ""));
    const done = () => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no response to raw bytes")));
    socket.on("connect", () => (hangUp ? socket.end(bytes) : socket.write(bytes)));
    socket.on("data", (piece) => {
      text += piece.toString("latin1");
    });
    socket.on("close", done);
    socket.on("error", (error: NodeJS.ErrnoException) =>
      HANG_UP_CODES.includes(error.code ?? "") ? done() : reject(error),
    );
  });
}
