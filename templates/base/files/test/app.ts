// Starts the app, or the probe, in the test's own process, and talks to it as a browser would.
// Change it when starting the app takes more than its settings.
import { type Config, readConfig } from "../src/config.ts";
import { type App, close, listen } from "../src/http/lifecycle.ts";
import { createApp } from "../src/main.ts";
import { Sessions, type SessionsOptions } from "../src/session/sessions.ts";
import { createDriver } from "../src/store/driver.ts";
import { serveProbe } from "./probe.ts";
import { testEnvironment } from "./store.ts";

/** Environment variables with a free port, and a place in the store that only this test file uses. */
export function environmentWith(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...process.env, NODE_ENV: "test", HOST: "127.0.0.1", PORT: "0", ...testEnvironment, ...more };
}

export interface Running {
  url: string;
  sessions: Sessions;
  stop(): Promise<void>;
}

export async function startApp(more?: Record<string, string>): Promise<Running> {
  const config = readConfig(environmentWith(more));
  return start(await createApp(config), config);
}

/** The probe has the sessions of this project behind actions of its own (probe-actions.ts), whatever the app's routes are. */
export async function startProbe(more?: Record<string, string>, options?: Partial<SessionsOptions>): Promise<Running> {
  const config = readConfig(environmentWith(more));
  const driver = createDriver(config.store, config.session.storeTimeout);
  const sessions = new Sessions({ driver, settings: config.session, ...options });
  return start({ server: await serveProbe(sessions), sessions }, config);
}

async function start(app: App, config: Config): Promise<Running> {
  try {
    await app.sessions.ready("auto", 5, console.error);
  } catch (cause) {
    await app.sessions.close();
    const why = cause instanceof Error ? cause.message : cause;
    throw new Error(`${why} The tests need the store: README.md says how to start it.`, { cause });
  }
  const url = await listen(app, config);
  return {
    url,
    sessions: app.sessions,
    async stop() {
      app.server.closeAllConnections();
      await close(app);
      await app.sessions.close();
    },
  };
}

/** A browser: keeps the cookies that it gets, and sends them back. */
export class Visitor {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor({ url }: Running) {
    this.#url = url;
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(this.#url + path, {
      method,
      redirect: "manual",
      headers: {
        ...(this.#cookies.size > 0 && { cookie: this.cookie }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  }

  /** The JSON of the response; an error unless its status is 2xx. */
  async json<Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Body> {
    const response = await this.send(method, path, body, headers);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Body;
  }

  #keep(cookie: string): void {
    const [, name = "", value = "", attributes = ""] = /^([^=]+)=([^;]*)(.*)$/.exec(cookie) ?? [];
    if (/;\s*max-age=0(?:;|$)/i.test(attributes)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
