// A plain HTTP client with a small cookie jar: low enough to see each Set-Cookie, to stop half way and to break the rules.
// Change it when the suite has to send something that it can't send yet; it must never know what answers.

import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Each Set-Cookie header, as it came. */
  setCookies: string[];
  text: string;
  json: Body;
}

// The suite looks into answers as a JavaScript client would; what is there is what its expectations are about.
// biome-ignore lint/suspicious/noExplicitAny: the shape of an answer is what the tests find out
export type Body = any;

export interface Ask {
  headers?: Record<string, string | string[]>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as application/x-www-form-urlencoded. */
  form?: Record<string, string> | string;
  /** Sent as it is. */
  body?: string | Buffer;
}

/** Every session token that this process has been handed, in a cookie or in a body. */
export const tokensSeen = new Set<string>();

const WAIT = 20_000;
const HUNG_UP = ["ECONNRESET", "EPIPE"];

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

  get(path: string, ask?: Ask): Promise<Answer> {
    return this.send("GET", path, ask);
  }
  head(path: string, ask?: Ask): Promise<Answer> {
    return this.send("HEAD", path, ask);
  }
  post(path: string, ask?: Ask): Promise<Answer> {
    return this.send("POST", path, ask);
  }
  put(path: string, ask?: Ask): Promise<Answer> {
    return this.send("PUT", path, ask);
  }
  delete(path: string, ask?: Ask): Promise<Answer> {
    return this.send("DELETE", path, ask);
  }

  /** Sets one key of the session's data. */
  set(key: string, value: unknown, ask: Ask = {}): Promise<Answer> {
    return this.put(`/session/data/${encodeURIComponent(key)}`, { ...ask, json: { value } });
  }

  send(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const [body, type] = encode(ask);
    const outgoing = this.#open(method, path, ask, type, body === undefined ? undefined : Buffer.byteLength(body));
    const reply = answer(outgoing, (it) => this.#remember(it));
    outgoing.end(body);
    return reply.catch((error) => {
      // A kept connection may be closed by the server in the moment in which it is used again. As browsers do, what can
      // be repeated without harm is.
      const isStale = outgoing.reusedSocket && HUNG_UP.includes(error.code) && method !== "POST";
      if (isStale) return this.send(method, path, ask);
      throw error;
    });
  }

  /** Starts a request and leaves it open: `finish` sends the rest, `abort` hangs up. */
  begin(
    method: string,
    path: string,
    ask: Ask = {},
  ): { write: (text: string) => Promise<void>; finish: (text?: string) => Promise<Answer>; abort: () => void } {
    const outgoing = this.#open(method, path, ask, "application/json", undefined);
    const reply = answer(outgoing, (it) => this.#remember(it));
    // Aborting rejects it with nobody listening; `finish` hands the same promise to the test.
    reply.catch(() => {});
    outgoing.flushHeaders();
    return {
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

  #open(method: string, path: string, ask: Ask, type: string | undefined, length: number | undefined): ClientRequest {
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
      headers: { ...headers, ...ask.headers },
      agent: this.#agent,
      timeout: WAIT,
    });
  }

  #remember(reply: Answer): void {
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

function encode(ask: Ask): [body: string | Buffer | undefined, type: string | undefined] {
  if (ask.json !== undefined) return [JSON.stringify(ask.json), "application/json"];
  if (typeof ask.form === "string") return [ask.form, "application/x-www-form-urlencoded"];
  if (ask.form) return [new URLSearchParams(ask.form).toString(), "application/x-www-form-urlencoded"];
  return [ask.body, undefined];
}

function answer(outgoing: ClientRequest, remember: (reply: Answer) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("timeout", () =>
      outgoing.destroy(new Error(`no answer within ${WAIT} ms: ${outgoing.method} ${outgoing.path}`)),
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
export async function orHangUp(sending: Promise<Answer>): Promise<Pick<Answer, "status" | "text">> {
  try {
    return await sending;
  } catch (error) {
    if (!HUNG_UP.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return { status: 0, text: "" };
  }
}

/**
 * Sends bytes as they are on a connection of their own and waits until the server closes it, so they must ask for that
 * or be malformed. The status of the (first) answer, 0 where the server only hung up.
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
    socket.setTimeout(WAIT, () => socket.destroy(new Error("no answer to raw bytes")));
    socket.on("connect", () => (hangUp ? socket.end(bytes) : socket.write(bytes)));
    socket.on("data", (piece) => {
      text += piece.toString("latin1");
    });
    socket.on("close", done);
    socket.on("error", (error: NodeJS.ErrnoException) => (HUNG_UP.includes(error.code ?? "") ? done() : reject(error)));
  });
}
