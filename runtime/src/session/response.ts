// Holds a node:http answer back until the session is saved, however the handler sends it.
// Nothing to change here, unless Node changes how it sends headers.
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ResponseHeaders } from "./cookie.ts";
import type { Visit } from "./visit.ts";

/**
 * Calls on `response` are kept, in their order, while the session is being saved.
 * @param fail answers when saving has failed; nothing of the handler's answer has been sent
 */
export function holdResponse(response: ServerResponse, visit: Visit, fail: (error: unknown) => void): void {
  const { writeHead, write, end, flushHeaders } = response;
  const headers = new NodeHeaders(response);
  let held: (() => void)[] | undefined;
  /** Calls go straight through: in a replay, and after a failure. */
  let open = false;
  let ended = false;
  /** A writeHead is kept already. */
  let headWaits = false;
  /** Saving has failed: what the handler writes after the error's answer is dropped. */
  let refused = false;
  /** As given to writeHead. */
  let status: number | undefined;

  function whenSaved(send: () => void): void {
    if (open) send();
    else if (held !== undefined) held.push(send);
    else {
      const saving = visit.finish();
      if (saving === undefined) pass([send]);
      else hold(saving, send);
    }
  }

  function hold(saving: Promise<void>, send: () => void): void {
    const { statusCode, restore } = snapshot(response);
    held = [send];
    // A handler that has begun to write can't take it back: error handlers look at `headersSent`.
    if (!ended) pretendSent(response, true);
    const release = () => {
      pretendSent(response, false);
      // An error handler may have set headers after `end`, for an answer that nobody gets.
      if (ended) restore();
      pass(held ?? []);
      // A stream that was told to wait goes on.
      if (!ended && !response.writableNeedDrain) response.emit("drain");
    };
    saving
      .then(release, (error) => {
        pretendSent(response, false);
        if (response.headersSent || (status ?? statusCode) < 400) return refuse(error);
        // An error's answer doesn't say that anything was saved: it stands.
        visit.tellUnsaved(error);
        release();
      })
      // What Node finds wrong with a kept call: the handler is long done.
      .catch((error) => response.destroy(error));
  }

  function refuse(error: Error): void {
    held = undefined;
    open = refused = true;
    if (response.headersSent) {
      response.destroy(error);
    } else {
      // The handler's answer says that all went well, and it has not.
      reset(response, OF_THE_ANSWER);
      fail(error);
    }
  }

  function pass(sends: (() => void)[]): void {
    held = undefined;
    open = true;
    try {
      for (const send of sends) send();
    } finally {
      open = false;
    }
  }

  response.writeHead = (code: number, ...rest: unknown[]) => {
    // Compression asks for the headers at every write, until they are there.
    if (!open && held !== undefined && (ended || headWaits)) return response;
    headWaits = true;
    status = code;
    whenSaved(() => {
      const reason = typeof rest[0] === "string" ? rest[0] : undefined;
      const more = (reason === undefined ? (rest[0] ?? rest[1]) : rest[1]) as
        | OutgoingHttpHeaders
        | unknown[]
        | undefined;
      // First, or a Set-Cookie among them would replace ours.
      if (more !== undefined) applyHeaders(response, more);
      visit.writeHeaders(headers);
      if (reason === undefined) writeHead.call(response, code);
      else (writeHead as (code: number, reason: string) => ServerResponse).call(response, code, reason);
    });
    return response;
  };

  response.flushHeaders = () => whenSaved(() => flushHeaders.call(response));

  response.write = ((...args: Parameters<typeof write>) => {
    if (refused && response.writableEnded) return false;
    if (open || (response.headersSent && held === undefined)) return write.apply(response, args);
    if (ended) return false;
    let more = false;
    whenSaved(() => {
      more = write.apply(response, args);
    });
    return more;
  }) as typeof write;

  response.end = ((...args: Parameters<typeof end>) => {
    if ((refused && response.writableEnded) || (ended && !open)) return response;
    if (open) return end.apply(response, args);
    ended = true;
    if (held !== undefined) pretendSent(response, false);
    whenSaved(() => end.apply(response, args));
    return response;
  }) as typeof end;

  response.once("close", () => {
    // The client has gone before its answer: what the handler wrote counts all the same.
    if (!response.writableFinished && !open) visit.finishAlone();
  });
}

class NodeHeaders implements ResponseHeaders {
  readonly #response: ServerResponse;
  constructor(response: ServerResponse) {
    this.#response = response;
  }
  get(name: string): string | undefined {
    const value = this.#response.getHeader(name);
    return Array.isArray(value) ? value.join(", ") : value?.toString();
  }
  set(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }
  appendCookie(value: string): void {
    this.#response.appendHeader("set-cookie", value);
  }
}

/** An object, a flat list, or a list of pairs, as writeHead takes them. */
function applyHeaders(response: ServerResponse, headers: OutgoingHttpHeaders | unknown[]): void {
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
    return;
  }
  const pairs = (Array.isArray(headers[0]) ? headers : chunked(headers)) as [string, string | string[]][];
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}

function chunked(list: unknown[]): unknown[][] {
  return Array.from({ length: Math.floor(list.length / 2) }, (_, index) => list.slice(2 * index, 2 * index + 2));
}

function snapshot(response: ServerResponse): { statusCode: number; restore: () => void } {
  const { statusCode, statusMessage, headersSent } = response;
  const headers = Object.entries(response.getHeaders());
  const restore = () => {
    if (headersSent) return;
    reset(response, response.getHeaderNames());
    response.statusCode = statusCode;
    response.statusMessage = statusMessage;
    for (const [name, value] of headers) if (value !== undefined) response.setHeader(name, value);
  };
  return { statusCode, restore };
}

/** While calls are kept, `headersSent` answers as it would have without us. */
function pretendSent(response: ServerResponse, sent: boolean): void {
  if (sent) Object.defineProperty(response, "headersSent", { configurable: true, value: true });
  else delete (response as { headersSent?: boolean }).headersSent;
}

/** Headers of one answer; all others, such as security headers, hold for any. */
export const OF_THE_ANSWER = [
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "location",
  "transfer-encoding",
];

function reset(response: ServerResponse, headers: string[]): void {
  // Node takes a removed Content-Length for a wish to send none, and closes the connection.
  for (const name of headers) if (response.hasHeader(name)) response.removeHeader(name);
  response.statusCode = 200;
  response.statusMessage = "";
}
