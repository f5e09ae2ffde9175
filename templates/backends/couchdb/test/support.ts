// What the tests of the CouchDB driver share: drivers, refusals, and a database of their own on the run's CouchDB.
// Change it when the driver's settings change.

import { once } from "node:events";
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, beforeAll, beforeEach, expect, onTestFinished } from "vitest";
import { type SessionDriver, type SessionInfo, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD } from "../../../../test/drivers/broken.ts";
import { START } from "../../../../test/drivers/rows.ts";
import { server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

/** How long to wait for what is hung, dead or wrong, in milliseconds. */
export const TIMEOUT = 1500;

/** The password as a URL has it. */
export const SECRET = encodeURIComponent(PASSWORD);

const variables = { COUCHDB_HOST: "127.0.0.1", COUCHDB_USER: "app", COUCHDB_PASSWORD: PASSWORD };

export function read(more: Record<string, string> = {}): StoreSettings {
  return readStoreSettings(new Environment({ ...variables, ...more }));
}

export function open(settings: StoreSettings, timeout = 15_000): SessionDriver {
  const driver = createDriver(settings, timeout);
  drivers.push(driver);
  return driver;
}

export async function listAll(driver: SessionDriver): Promise<SessionInfo[]> {
  const sessions: SessionInfo[] = [];
  for await (const batch of driver.all(START)) sessions.push(...batch);
  return sessions;
}

/** Expects one line that names the setting and not the password, from each of four calls, which sign in once each. */
export async function expectRefusal(settings: StoreSettings, line: RegExp): Promise<void> {
  const driver = open(settings, TIMEOUT);
  const works = [driver.setup(), driver.check(), driver.ping(), driver.read("x", { now: START })];
  for (const error of await Promise.all(works.map(failure))) {
    expect(error.message).toMatch(line);
    expect(error.message).toMatch(/^[^\n]{10,300}[^.\n]$/);
    expect(error).toBeInstanceOf(StoreUnavailable);
    for (const shown of [
      error.message,
      JSON.stringify(error.cause),
      String((error.cause as Error | undefined)?.stack),
    ]) {
      expect(shown).not.toContain(settings.password || PASSWORD);
      expect(shown).not.toContain(btoa(`${settings.user}:${settings.password}`));
    }
  }
}

/** Returns the port on which the server listens from now until the test ends. */
export async function portOf(listening: Server): Promise<number> {
  const sockets = new Set<Socket>();
  listening.on("connection", (socket: Socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy()));
  });
  onTestFinished(() => {
    listening.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(listening.listen(0, "127.0.0.1"), "listening");
  return (listening.address() as AddressInfo).port;
}

/** The warnings of this process, from now until the test ends. */
export function collectWarnings(): string[] {
  const warnings: string[] = [];
  const note = ({ message }: Error) => void warnings.push(message);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  return warnings;
}

interface Reply {
  status: number;
  body: Record<string, unknown>;
}

/** A database of the test's own on the CouchDB that the run shares. The tests of the file are skipped where there is none. */
export class SharedServer {
  readonly database = `s_${process.pid}`;
  #url: string | undefined;
  #users = 0;

  constructor() {
    beforeAll(async () => {
      this.#url = (await server("couchdb"))?.url;
    });
    beforeEach((context) => context.skip(this.#url === undefined, "no couchdb server here"));
    afterEach(async () => {
      if (this.#url) await this.ask("", "DELETE");
    });
  }

  settings(more: Partial<StoreSettings> = {}): StoreSettings {
    if (this.#url === undefined) throw new Error("the server is there only while tests run");
    const environment = new Environment({ COUCHDB_URL: this.#url, COUCHDB_DATABASE: this.database });
    return { ...readStoreSettings(environment), ...more };
  }

  /** Sends a request about the database, as the server's admin. */
  async ask(path: string, method = "GET", body?: object): Promise<Record<string, unknown>> {
    return (await this.#request(`/${this.database}${path}`, method, body)).body;
  }

  async #request(path: string, method: string, body?: object): Promise<Reply> {
    const { url, user, password } = this.settings();
    const headers = {
      authorization: `Basic ${btoa(`${user}:${password}`)}`,
      accept: "application/json",
      "content-type": "application/json",
    };
    const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** Settings for a new user, who is a member or an admin of the database once it is there. */
  async newUser(role: "members" | "admins" | "none" = "none"): Promise<StoreSettings> {
    const name = `user-${process.pid}-${++this.#users}`;
    const path = `/_users/org.couchdb.user:${name}`;
    const document = { name, password: PASSWORD, roles: [], type: "user" };
    const { status, body } = await this.#request(path, "PUT", document);
    expect(status, JSON.stringify(body)).toBe(201);
    onTestFinished(async () => void (await this.#request(`${path}?rev=${String(body.rev)}`, "DELETE")));
    if (role !== "none") await this.ask("/_security", "PUT", { [role]: { names: [name], roles: [] } });
    return this.settings({ user: name, password: PASSWORD, fromUrl: false });
  }
}

/** Passes requests on to CouchDB, except for those that `intercept` responds to. */
export async function proxy(
  target: string,
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<string> {
  const { hostname, port } = new URL(target);
  const forward: RequestListener = (request, response) => {
    const { url, method, headers } = request;
    const onward = httpRequest({ host: hostname, port, path: url, method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(response);
    });
    request.pipe(onward);
  };
  const listening = createHttpServer((request, response) => {
    if (!intercept(request, response)) forward(request, response);
  });
  return `http://127.0.0.1:${await portOf(listening)}`;
}
