// Holds a response of node:http back until the session is saved, however the handler sends it.
// There is nothing to change here, unless Node changes how it sends headers.
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { RequestSession } from "./request-session.ts";
import type { ResponseHeaders } from "./response-headers.ts";

/**
 * idle: no save is under way; the first call that sends something starts one.
 * holding: calls are queued, in their order, until the session is saved.
 * replaying: calls go straight through, since they come from the queue or nothing had to be saved.
 * refused: saving or sending has failed; an error's response goes through, and the handler's later calls are dropped.
 */
type State = "idle" | "holding" | "replaying" | "refused";

/** `flush` is compression's own, which must not overtake what is queued. */
type Response = ServerResponse & { flush?: () => void };
type Methods = Pick<Response, "writeHead" | "write" | "end" | "flushHeaders" | "on"> & {
  flush: (() => void) | undefined;
};
type Listener = (...args: unknown[]) => void;
type HoldResponse = (response: ServerResponse, requestSession: RequestSession, fail: (error: unknown) => void) => void;

/**
 * Makes the function with which one middleware holds its responses. All of them share these five functions: with closures
 * of their own, responses survived the collections of young objects, which then took most of the time of a request.
 */
export function responseHolder(): HoldResponse {
  const held = Symbol("heldResponse");
  type Held = Response & { [held]: HeldResponse };

  function writeHead(this: Held, status: number, ...rest: unknown[]): Held {
    this[held].writeHead(status, rest);
    return this;
  }
  function write(this: Held, ...args: unknown[]): boolean {
    return this[held].write(args);
  }
  function end(this: Held, ...args: unknown[]): Held {
    this[held].end(args);
    return this;
  }
  function flushHeaders(this: Held): void {
    this[held].flushHeaders();
  }
  function flush(this: Held): void {
    this[held].flush();
  }
  function on(this: Held, event: string, listener: Listener): Held {
    this[held].on(event, listener);
    return this;
  }
  const holding = { writeHead, write, end, flushHeaders };
  function onClose(this: Held): void {
    this[held].closed();
  }

  return (response: Response, requestSession, fail) => {
    (response as Held)[held] = new HeldResponse(response, requestSession, fail, holding);
    if (response.flush !== undefined) response.flush = flush;
    if (Object.hasOwn(response, "on")) response.on = on as Methods["on"];
    response.writeHead = writeHead as Methods["writeHead"];
    response.write = write as Methods["write"];
    response.end = end as Methods["end"];
    response.flushHeaders = flushHeaders;
    response.on("close", onClose);
  };
}

class HeldResponse {
  readonly #response: Response;
  readonly #requestSession: RequestSession;
  /** Responds when saving or sending has failed; nothing of the handler's response has been sent then. */
  readonly #fail: (error: unknown) => void;
  /** The functions that hold the response, without what other middleware has put over them. */
  readonly #holding: object;
  readonly #headers: ResponseHeaders;
  /** The response's own, or those of middleware that came before. */
  readonly #methods: Methods;
  readonly #queue: (() => void)[] = [];
  #state: State = "idle";
  /** The handler has called `end`. */
  #ended = false;
  /** The status of a `writeHead` that is in the queue. */
  #queuedStatus: number | undefined;
  /** A call from the queue has filled a buffer, so that "drain" will be emitted when there is room. */
  #isFull = false;
  /** Listeners for "drain" that were added while nothing had been sent. */
  readonly #drainListeners: Listener[] = [];

  constructor(response: Response, requestSession: RequestSession, fail: (error: unknown) => void, holding: object) {
    const { writeHead, write, end, flushHeaders, flush, on } = response;
    this.#response = response;
    this.#requestSession = requestSession;
    this.#fail = fail;
    this.#holding = holding;
    this.#headers = new NodeHeaders(response);
    this.#methods = { writeHead, write, end, flushHeaders, flush, on };
  }

  writeHead(status: number, rest: unknown[]): void {
    // Middleware such as compression asks for the headers at every write, until they are sent.
    if (this.#state === "holding" && (this.#ended || this.#queuedStatus !== undefined)) return;
    this.#queuedStatus = status;
    this.#sendWhenSaved(() => this.#writeHead(status, rest));
  }

  flushHeaders(): void {
    const response = this.#response;
    // As Node does it: middleware such as compression learns by this call that the headers are about to be sent.
    if (!this.#isThrough && !response.headersSent) response.writeHead(response.statusCode);
    this.#sendWhenSaved(() => this.#methods.flushHeaders.call(response));
  }

  flush(): void {
    this.#sendWhenSaved(() => this.#methods.flush?.call(this.#response));
  }

  write(args: unknown[]): boolean {
    const response = this.#response;
    if (this.#state === "refused" && response.writableEnded) return false;
    const send = (): boolean => Reflect.apply(this.#methods.write, response, args);
    // The rest of a stream: what is written to the session meanwhile is saved at its end.
    if (this.#state === "idle" && response.headersSent) return send();
    if (this.#state === "holding" && this.#ended) return false;
    let wantsMore = false;
    this.#sendWhenSaved(() => {
      wantsMore = send();
      // Middleware may well return nothing, which tells nobody to wait.
      this.#isFull ||= wantsMore === false;
    });
    return wantsMore;
  }

  on(event: string, listener: Listener): void {
    if (event === "drain" && (this.#state === "holding" || !this.#response.headersSent)) {
      this.#drainListeners.push(listener);
    }
    this.#methods.on.call(this.#response, event, listener);
  }

  end(args: unknown[]): void {
    if (this.#state === "refused" && this.#response.writableEnded) return;
    if (!this.#isThrough) {
      if (this.#ended) return;
      this.#ended = true;
    }
    if (this.#state === "holding") pretendSent(this.#response, false);
    this.#sendWhenSaved(() => Reflect.apply(this.#methods.end, this.#response, args));
  }

  /** The response has been sent, or its client has gone. */
  closed(): void {
    // Where the client has gone before the response was sent, what the handler wrote is saved all the same.
    if (!this.#response.writableFinished && this.#state !== "refused") this.#requestSession.completeDetached();
    this.#requestSession.responseSent();
  }

  get #isThrough(): boolean {
    return this.#state === "replaying" || this.#state === "refused";
  }

  #writeHead(status: number, rest: unknown[]): void {
    const response = this.#response;
    const { writeHead } = this.#methods;
    const mayAddHeaders = this.#requestSession.mayAddHeaders;
    const [reason, more] = typeof rest[0] === "string" ? [rest[0], rest[1]] : [undefined, rest[0] ?? rest[1]];
    // Before the session's own: a Set-Cookie among them would replace it.
    if (mayAddHeaders && more !== undefined) applyHeaders(response, more as OutgoingHttpHeaders | unknown[]);
    this.#requestSession.writeHeaders(this.#headers);
    if (!mayAddHeaders) Reflect.apply(writeHead, response, [status, ...rest]);
    else if (reason === undefined) writeHead.call(response, status);
    else (writeHead as (status: number, reason: string) => ServerResponse).call(response, status, reason);
  }

  #sendWhenSaved(send: () => void): void {
    if (this.#state === "holding") {
      this.#queue.push(send);
    } else if (this.#state === "idle") {
      const saving = this.#requestSession.complete(this.#queuedStatus ?? this.#response.statusCode, this.#headers);
      if (saving === undefined) {
        this.#replay([send]);
      } else {
        this.#queue.push(send);
        this.#hold(saving);
      }
    } else {
      send();
    }
  }

  #hold(saving: Promise<void>): void {
    const response = this.#response;
    const restore = snapshot(response);
    this.#state = "holding";
    this.#isFull = false;
    // Error handlers look at `headersSent`: a handler that has begun to write can't take it back.
    if (!this.#ended) pretendSent(response, true);
    saving
      .then(() => {
        pretendSent(response, false);
        // An error handler may have set headers after `end`, for a response that nobody gets.
        if (this.#ended) restore();
        this.#replay(this.#queue.splice(0));
        if (!this.#ended && !this.#isFull) this.#resume();
      })
      // Node may find a queued call wrong as well, when the handler is long done.
      .catch((error) => {
        pretendSent(response, false);
        this.#refuse(error);
      })
      .catch((error) => response.destroy(error));
  }

  /** Tells a stream that was told to wait to go on. */
  #resume(): void {
    const response = this.#response;
    const reached = response.rawListeners("drain");
    response.emit("drain");
    // Compression that was mounted before keeps them to its own stream, which never told anybody to wait.
    for (const listener of this.#drainListeners) if (!reached.includes(listener)) listener.call(response);
  }

  #replay(calls: readonly (() => void)[]): void {
    this.#state = "replaying";
    try {
      for (const call of calls) call();
    } finally {
      this.#queuedStatus = undefined;
      this.#state = "idle";
    }
  }

  #refuse(error: Error): void {
    const response = this.#response;
    this.#state = "refused";
    this.#queue.length = 0;
    if (response.headersSent) {
      response.destroy(error);
    } else {
      response.statusCode = 200;
      response.statusMessage = "";
      // Compression that was mounted behind this has begun with the handler's response, and would swallow the error's.
      Object.assign(response, this.#holding);
      this.#fail(error);
    }
  }
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
    // Node refuses a header without a value, whether there is a session or not.
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value as OutgoingHttpHeader);
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
