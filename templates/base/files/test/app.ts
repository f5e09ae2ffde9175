// Starts the app as a process of its own for a test, and talks to it as a browser would.
// Change PASSWORD, and the userids in the tests, when src/authenticate.ts knows real users.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { testEnvironment } from "./store.ts";

/** What src/authenticate.ts accepts. */
export const PASSWORD = "demo";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));

/** With a port and a place in the store of its own. */
export function environmentWith(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...process.env, NODE_ENV: "test", HOST: "127.0.0.1", PORT: "0", ...testEnvironment, ...more };
}

export interface App {
  url: string;
  /** As a process manager does; the exit code. */
  stop(): Promise<number | null>;
}

export async function startApp(more: Record<string, string> = {}): Promise<App> {
  const env = environmentWith({ SESSION_START_TIMEOUT: "5", ...more });
  const child = spawn(process.execPath, ["src/main.ts"], { cwd: PROJECT, env, stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => {
      const [, found] = /^Listening on (http:\S+)/.exec(line) ?? [];
      if (found) resolve(found);
    });
    exited.then(() => {
      reject(
        new Error(`The app did not start. Is the store's server running? README.md says how to start it.\n${errors}`),
      );
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const [code] = await exited;
    return code;
  };
  return { url, stop };
}

/** Keeps the cookies that it gets, and sends them back. */
export class Visitor {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor(app: App) {
    this.#url = app.url;
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

  /** The answer's JSON; an error unless its status is 2xx. */
  async json<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const response = await this.send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Body;
  }

  async signIn(userid: string): Promise<void> {
    await this.json("POST", "/login", { userid, password: PASSWORD });
  }

  /** The status of GET /session: 200 with a session, 404 without. */
  async status(headers: Record<string, string> = {}): Promise<number> {
    return (await this.send("GET", "/session", undefined, headers)).status;
  }

  #keep(cookie: string): void {
    const [, name = "", value = "", attributes = ""] = /^([^=]+)=([^;]*)(.*)$/.exec(cookie) ?? [];
    if (/;\s*max-age=0(?:;|$)/i.test(attributes)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
