// Sessions for node:http: `session` in what every handler gets.
// Change what a request looks like to the runtime here; what sessions do is in sessions.ts and session.ts.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { NodeRequest } from "./request.ts";
import { holdResponse } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Visit } from "./visit.ts";

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** `key` for `/data/:key`. */
  params: Record<string, string> = {};
  /** Parsed, not yet checked. */
  body: unknown;
  readonly #visit: Visit;

  constructor(request: IncomingMessage, response: ServerResponse, visit: Visit) {
    this.request = request;
    this.response = response;
    this.#visit = visit;
  }

  /** Always there; nothing is stored until it is written to. Taking it makes the answer depend on it. */
  get session(): Session {
    return this.#visit.session;
  }
}

/**
 * Finds the session of every request and saves it before the answer leaves, however `handle` sends it.
 * @param fail answers what `handle` has thrown, and what goes wrong with the session (403, 413, 503)
 */
export function withSessions(
  sessions: Sessions,
  handle: (exchange: Exchange) => void | Promise<void>,
  fail: (error: unknown, request: IncomingMessage, response: ServerResponse) => void,
): RequestListener {
  return async (request, response) => {
    try {
      const visit = await sessions.begin(new NodeRequest(request));
      holdResponse(response, visit, (error) => fail(error, request, response));
      await handle(new Exchange(request, response, visit));
    } catch (error) {
      fail(error, request, response);
    }
  };
}
