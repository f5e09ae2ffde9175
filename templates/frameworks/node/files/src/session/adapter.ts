// Sessions for node:http: `session` in what every handler gets.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { NodeRequest } from "./request.ts";
import type { RequestSession } from "./request-session.ts";
import { responseHolder } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Parts of the path by name: `key` for `/data/:key`. */
  params: Record<string, string> = {};
  /** The parsed body, not validated yet. */
  body: unknown;
  readonly #requestSession: RequestSession;

  constructor(request: IncomingMessage, response: ServerResponse, requestSession: RequestSession) {
    this.request = request;
    this.response = response;
    this.#requestSession = requestSession;
  }

  /** Always there. Nothing is stored until it is written to. Using it makes the response depend on it. */
  get session(): Session {
    return this.#requestSession.session;
  }
}

/**
 * Finds the session of every request and saves it before the response is sent, however `handle` sends it.
 * @param fail responds to what `handle` has thrown, and to what goes wrong with the session (403, 413, 503)
 */
export function withSessions(
  sessions: Sessions,
  handle: (exchange: Exchange) => void | Promise<void>,
  fail: (error: unknown, request: IncomingMessage, response: ServerResponse) => void,
): RequestListener {
  const holdResponse = responseHolder();
  return async (request, response) => {
    try {
      const outer = sessions.begun(request);
      const begun = outer ?? sessions.begin(new NodeRequest(request));
      const requestSession = begun instanceof Promise ? await begun : begun;
      // Within another withSessions, the outer one saves.
      if (outer === undefined) holdResponse(response, requestSession, (error) => fail(error, request, response));
      if (requestSession.refusal !== undefined) throw requestSession.refusal;
      await handle(new Exchange(request, response, requestSession));
    } catch (error) {
      fail(error, request, response);
    }
  };
}
