// Visits an application's sessions without HTTP: what an adapter does, with a clock that the test moves.
// Change it when adapters do more than begin, complete and writeHeaders.
import { afterEach } from "vitest";
import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import type { SessionEvent } from "../../runtime/src/session/events.ts";
import type { SessionRequest } from "../../runtime/src/session/request.ts";
import type { ResponseHeaders } from "../../runtime/src/session/response-headers.ts";
import type { Session } from "../../runtime/src/session/session.ts";
import { Sessions } from "../../runtime/src/session/sessions.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import type { Fixture, OpenStore } from "../drivers/fixture.ts";
import { server } from "../servers/server.ts";
import { defaults } from "./defaults.ts";

/** A moment in which the tests begin: now, since stores with expiry of their own go by the real clock. */
const START = Math.floor(Date.now() / 1000);

export interface App {
  sessions: Sessions;
  driver: SessionDriver;
  /** What has expired goes by the store's own clock, which no test moves. */
  nativeExpiry: boolean;
  events: SessionEvent[];
  /** Seconds since 1970. */
  now: number;
  /** The data of every live session, past what a test has put in the place of the driver's methods. */
  stored(): Promise<unknown[]>;
  /** A further process, so to speak: another Sessions with a driver of its own on the same store. */
  another(): Promise<App>;
  /** Edits the stored row by hand into something that can't be read, where the backend has rows to edit. */
  corrupt?(id: string): Promise<void>;
}

const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** An application on a store of its own; undefined if its server isn't to be had here. */
export async function open(backend: string, settings: Partial<SessionSettings> = {}): Promise<App | undefined> {
  const { default: fixture } = (await import(`../../templates/backends/${backend}/conformance.ts`)) as {
    default: Fixture;
  };
  const running =
    fixture.server === undefined ? undefined : await server(fixture.server as Parameters<typeof server>[0]);
  if (fixture.server !== undefined && running === undefined) return undefined;
  const store = await fixture.open(running?.url, `runtime_${Math.random().toString(36).slice(2, 10)}`);
  opened.push(() => store.cleanUp());
  return appOn(store, settings, fixture.capabilities.nativeExpiry);
}

async function appOn(store: OpenStore, settings: Partial<SessionSettings>, nativeExpiry: boolean): Promise<App> {
  const driver = await store.driver();
  const events: SessionEvent[] = [];
  const original = Object.assign(Object.create(driver), {
    read: driver.read.bind(driver),
    all: driver.all.bind(driver),
  });
  const app: App = {
    driver,
    nativeExpiry,
    events,
    now: START,
    sessions: new Sessions({
      driver,
      settings: { ...defaults, ...settings },
      onEvent: (event) => events.push(event),
      clock: () => app.now * 1000 + 500,
    }),
    stored: () => storedData(original, app.now),
    another: () => appOn(store, settings, nativeExpiry),
    corrupt: store.corrupt,
  };
  opened.push(() => app.sessions.close());
  await app.sessions.ready("auto", 10, () => {});
  return app;
}

export interface Answer<T> {
  result: T | undefined;
  error: unknown;
  session: Session | undefined;
  headers: Map<string, string>;
  setCookie: string[];
}

interface Request {
  method: string;
  url: string;
  headers: Record<string, string>;
  remoteAddress: string;
  isHttps: boolean;
}

/** A browser that keeps one session cookie, or a client with a Bearer token. */
export class Visitor {
  readonly #app: App;
  cookie: string | undefined;
  bearer: string | undefined;
  remoteAddress = "192.0.2.1";
  isHttps = false;
  headers: Record<string, string> = { "user-agent": "test", host: "app.example" };

  constructor(app: App, token?: string) {
    this.#app = app;
    if (token !== undefined) this.cookie = `session=${token}`;
  }

  get token(): string | undefined {
    return this.cookie?.split("=")[1];
  }

  /** One request, from begin to the headers of its response. */
  async visit<T>(handle: (session: Session) => T | Promise<T>, request: Partial<Request> = {}): Promise<Answer<T>> {
    const headers = new Map<string, string>();
    const setCookie: string[] = [];
    const answer: Answer<T> = { result: undefined, error: undefined, session: undefined, headers, setCookie };
    const out: ResponseHeaders = {
      get: (name) => headers.get(name),
      set: (name, value) => headers.set(name, value),
      remove: (name) => headers.delete(name),
      appendCookie: (value) => setCookie.push(value),
    };
    try {
      const requestSession = await this.#app.sessions.begin(this.request(request));
      answer.session = requestSession.session;
      try {
        if (requestSession.refusal !== undefined) throw requestSession.refusal;
        answer.result = await handle(requestSession.session);
      } catch (error) {
        answer.error = error;
      }
      await requestSession.complete(200, out);
      requestSession.writeHeaders(out);
    } catch (error) {
      answer.error = error;
    }
    for (const line of setCookie) {
      const [pair = ""] = line.split(";");
      this.cookie = /Max-Age=0/.test(line) ? undefined : pair;
    }
    return answer;
  }

  request(request: Partial<Request> = {}): SessionRequest {
    const headers: Record<string, string> = { ...this.headers, ...request.headers };
    if (this.cookie !== undefined) headers.cookie ??= this.cookie;
    if (this.bearer !== undefined) headers.authorization ??= `Bearer ${this.bearer}`;
    return {
      raw: {},
      host: headers.host,
      method: request.method ?? "GET",
      url: request.url ?? "/",
      header: (name) => headers[name],
      remoteAddress: request.remoteAddress ?? this.remoteAddress,
      isHttps: request.isHttps ?? this.isHttps,
    };
  }
}

/** The number after Max-Age in a Set-Cookie header. */
export function maxAge(answer: Answer<unknown>): number | undefined {
  const text = /Max-Age=(\d+)/.exec(answer.setCookie[0] ?? "")?.[1];
  return text === undefined ? undefined : Number(text);
}

/** A handler that writes one key, whatever SessionData says. */
export function write(key: string, value: unknown): (session: Session) => void {
  return (session) => {
    dataOf(session)[key] = value;
  };
}

/** The data of a session as any keys and values. */
export function dataOf(session: Session): Record<string, unknown> {
  return session.data as Record<string, unknown>;
}

async function storedData(driver: Pick<SessionDriver, "read" | "all">, now: number): Promise<unknown[]> {
  const stored: unknown[] = [];
  for await (const infos of driver.all(now)) {
    for (const { id } of infos) {
      const row = await driver.read(id, { now });
      if (row !== undefined) stored.push(JSON.parse(row.data));
    }
  }
  return stored;
}
