// Finds the handler for a method and a path: `/sessions/:id` matches `/sessions/42`, with the id among `params`.
// Add other kinds of matching (host, a wildcard) here; the routes are in src/routes.ts.
import type { Exchange } from "../session/adapter.ts";
import { readBody } from "./body.ts";
import { Problem } from "./errors.ts";

export type Handler = (exchange: Exchange) => void | Promise<void>;

interface Route {
  segments: string[];
  /** The handler for each method. */
  handlers: Map<string, Handler>;
}

export class Router {
  readonly #routes = new Map<string, Route>();

  on(method: string, pattern: string, handler: Handler): void {
    const route = this.#routes.get(pattern) ?? { segments: pattern.split("/"), handlers: new Map() };
    this.#routes.set(pattern, route);
    route.handlers.set(method, handler);
  }

  /** Calls the handler. Throws a Problem where there is none (404, 405), or where path or body can't be read (400, 413, 415). */
  async handle(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const segments = pathOf(request.url).split("/");
    const route = this.#find(segments);
    if (route === undefined) throw new Problem(404, "There is nothing at this address.");
    const { method = "GET" } = request;
    // Node leaves out the body of a response to HEAD.
    const handler = route.handlers.get(method === "HEAD" ? "GET" : method);
    if (handler === undefined) {
      const allowed = [...route.handlers.keys()].flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : name));
      response.setHeader("Allow", allowed.join(", "));
      throw new Problem(405, `${method} is not allowed at this address.`);
    }
    exchange.params = paramsOf(route, segments);
    exchange.body = await readBody(request);
    await handler(exchange);
  }

  /** A pattern without parameters comes before one with them. */
  #find(segments: string[]): Route | undefined {
    const literal = this.#routes.get(segments.join("/"));
    if (literal !== undefined) return literal;
    for (const route of this.#routes.values()) if (matches(route, segments)) return route;
    return undefined;
  }
}

/** Drops the query, and the origin, which proxies may send along. */
function pathOf(url = "/"): string {
  return url.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0] ?? "";
}

function matches(route: Route, segments: string[]): boolean {
  if (route.segments.length !== segments.length) return false;
  return route.segments.every((part, index) => part.startsWith(":") || part === segments[index]);
}

function paramsOf(route: Route, segments: string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [index, part] of route.segments.entries()) {
    if (part.startsWith(":")) params[part.slice(1)] = decode(segments[index] ?? "");
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(400, "Malformed URL encoding.");
  }
}
