// Holds a response of node:http back until the session is saved, however the handler sends it.
// There is nothing to change here, unless Node changes how it sends headers.
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { RequestSession } from "./request-session.ts";
import type { ResponseHeaders } from "./response-headers.ts";

/**
 * idle: no save is under way; the first call that sends something starts one.
 * holding: calls are queued, in their order, until the session is saved.
 * replaying: calls go straight through, since they come from the queue or nothing had to be saved.
 * refused: saving has failed; an error's response goes through, and the handler's later calls are dropped.
 */
type State = "idle" | "holding" | "replaying" | "refused";

/** @param fail responds when saving has failed; nothing of the handler's response has been sent then */
export function holdResponse(
  response: ServerResponse,
  requestSession: RequestSession,
  fail: (error: unknown) => void,
): void {
  const { writeHead, write, end, flushHeaders, flush } = response as ServerResponse & { flush?: () => void };
  const headers = new NodeHeaders(response);
  let state: State = "idle";
  const queue: (() => void)[] = [];
  /** The handler has called `end`. */
  let ended = false;
  /** The status of a `writeHead` that is in the queue. */
  let queuedStatus: number | undefined;

  function sendWhenSaved(send: () => void): void {
    if (state === "holding") {
      queue.push(send);
    } else if (state === "idle") {
      const saving = requestSession.complete(queuedStatus ?? response.statusCode, headers);
      queue.push(send);
      if (saving === undefined) replay();
      else hold(saving);
    } else {
      send();
    }
  }

  function hold(saving: Promise<void>): void {
    const restore = snapshot(response);
    state = "holding";
    // Error handlers look at `headersSent`: a handler that has begun to write can't take it back.
    if (!ended) pretendSent(response, true);
    saving
      .then(
        () => {
          pretendSent(response, false);
          // An error handler may have set headers after `end`, for a response that nobody gets.
          if (ended) restore();
          replay();
          // A stream that was told to wait goes on.
          if (!ended && !response.writableNeedDrain) response.emit("drain");
        },
        (error) => {
          pretendSent(response, false);
          refuse(error);
        },
      )
      // Node may find a queued call wrong, when the handler is long done.
      .catch((error) => response.destroy(error));
  }

  function replay(): void {
    state = "replaying";
    try {
      for (const send of queue.splice(0)) send();
    } finally {
      queuedStatus = undefined;
      state = "idle";
    }
  }

  function refuse(error: Error): void {
    state = "refused";
    queue.length = 0;
    if (response.headersSent) {
      response.destroy(error);
    } else {
      response.statusCode = 200;
      response.statusMessage = "";
      // Compression that was mounted behind this has begun with the handler's response, and would swallow the error's.
      Object.assign(response, holding);
      fail(error);
    }
  }

  response.writeHead = (status: number, ...rest: unknown[]) => {
    // Middleware such as compression asks for the headers at every write, until they are sent.
    if (state === "holding" && (ended || queuedStatus !== undefined)) return response;
    queuedStatus = status;
    sendWhenSaved(() => {
      const reason = typeof rest[0] === "string" ? rest[0] : undefined;
      const more = reason === undefined ? (rest[0] ?? rest[1]) : rest[1];
      // Before the session's own: a Set-Cookie among them would replace it.
      if (more !== undefined) applyHeaders(response, more as OutgoingHttpHeaders | unknown[]);
      requestSession.writeHeaders(headers);
      if (reason === undefined) writeHead.call(response, status);
      else (writeHead as (status: number, reason: string) => ServerResponse).call(response, status, reason);
    });
    return response;
  };

  response.flushHeaders = () => {
    // As Node does it: middleware such as compression learns by this call that the headers are about to be sent.
    if (state !== "replaying" && state !== "refused" && !response.headersSent) response.writeHead(response.statusCode);
    sendWhenSaved(() => flushHeaders.call(response));
  };

  if (flush !== undefined) {
    // Compression's own, which must not overtake what is queued.
    (response as { flush?: () => void }).flush = () => sendWhenSaved(() => flush.call(response));
  }

  response.write = ((...args: Parameters<typeof write>) => {
    if (state === "refused" && response.writableEnded) return false;
    // The rest of a stream: what is written to the session meanwhile is saved at its end.
    if (state === "idle" && response.headersSent) return write.apply(response, args);
    if (state === "holding" && ended) return false;
    let wantsMore = false;
    sendWhenSaved(() => {
      wantsMore = write.apply(response, args);
    });
    return wantsMore;
  }) as typeof write;

  response.end = ((...args: Parameters<typeof end>) => {
    if (state === "refused" && response.writableEnded) return response;
    if (state === "refused" || state === "replaying") return end.apply(response, args);
    if (ended) return response;
    ended = true;
    if (state === "holding") pretendSent(response, false);
    sendWhenSaved(() => end.apply(response, args));
    return response;
  }) as typeof end;

  const holding = {
    writeHead: response.writeHead,
    write: response.write,
    end: response.end,
    flushHeaders: response.flushHeaders,
  };

  response.once("close", () => {
    // The client has gone before the response was there. What the handler wrote counts all the same.
    if (!response.writableFinished && state !== "refused") requestSession.completeDetached();
    requestSession.responseSent();
  });
}

/** The headers of a node:http response, as the runtime sees them. */
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

  remove(name: string): void {
    // Node takes the removal of a Content-Length as a wish to send none, and closes the connection.
    if (this.#response.hasHeader(name)) this.#response.removeHeader(name);
  }

  appendCookie(value: string): void {
    this.#response.appendHeader("set-cookie", value);
  }
}

/** Sets headers given as an object, a flat list or a list of pairs, as writeHead takes them. */
function applyHeaders(response: ServerResponse, headers: OutgoingHttpHeaders | unknown[]): void {
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
    return;
  }
  const pairs = (Array.isArray(headers[0]) ? headers : inPairs(headers)) as [string, string | string[]][];
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}

function inPairs(list: unknown[]): unknown[][] {
  return Array.from({ length: Math.floor(list.length / 2) }, (_, index) => list.slice(2 * index, 2 * index + 2));
}

/** Returns a function that puts status and headers back to what they are now. */
function snapshot(response: ServerResponse): () => void {
  const { statusCode, statusMessage, headersSent } = response;
  const headers = Object.entries(response.getHeaders());
  return () => {
    if (headersSent) return;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.statusCode = statusCode;
    response.statusMessage = statusMessage;
    for (const [name, value] of headers) if (value !== undefined) response.setHeader(name, value);
  };
}

/** While calls are queued, `headersSent` is what it would be without sessions. */
function pretendSent(response: ServerResponse, sent: boolean): void {
  if (sent) Object.defineProperty(response, "headersSent", { configurable: true, value: true });
  else delete (response as { headersSent?: boolean }).headersSent;
}
