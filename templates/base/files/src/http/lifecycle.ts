// How the process starts and stops, and what it logs about sessions.
// Change here where log lines go, and how long a shutdown may take.
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Config } from "../config.ts";
import type { SessionEvent } from "../session/events.ts";
import type { Sessions } from "../session/sessions.ts";

/** What main.ts makes of the settings. */
export interface App {
  /** Not listening yet. */
  server: Server;
  sessions: Sessions;
  /** The framework's own ways to start and stop the server, if it has any. */
  listen?: (address: { port: number; host: string }) => Promise<unknown>;
  close?: () => Promise<unknown>;
}

/** The events that somebody should look into. */
const PROBLEMS: readonly SessionEvent["type"][] = ["storeDown", "locked", "unreadable", "warning"];

type Address = Pick<Config, "host" | "port">;

/** How long running requests may take after the signal to stop. */
const GRACE_MS = 8_000;
/** When the process ends in any case. */
const FORCE_EXIT_MS = 9_500;
/** How often connections without a running request are closed while the app stops. */
const IDLE_SWEEP_MS = 100;

/** Waits for the store, listens, and stops at SIGTERM or SIGINT. Ends the process with one line if it can't start. */
export async function run(app: App, config: Config): Promise<void> {
  // Install the handlers before anything else: as PID 1 in a container, Node ignores signals that have no handler.
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => (app.server.listening ? stop(app) : process.exit(0)));
  }
  try {
    await app.sessions.ready(config.setup, config.startTimeout, (line) => console.error(line));
    console.log(`Listening on ${await listen(app, config)}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/** Resolves to the URL; rejects with an error that names the setting to change. */
export async function listen(app: App, { host, port }: Address): Promise<string> {
  const { server } = app;
  try {
    if (app.listen !== undefined) {
      await app.listen({ host, port });
    } else {
      server.listen(port, host);
      await once(server, "listening");
    }
  } catch (error) {
    throw new Error(whyNot(error as NodeJS.ErrnoException, { host, port }), { cause: error });
  }
  const address = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

function whyNot({ code, message }: NodeJS.ErrnoException, { host, port }: Address): string {
  if (code === "EADDRINUSE") return `Port ${port} is in use: set PORT to another one.`;
  if (code === "EACCES") return `PORT ${port} can't be used (${message}): set PORT to one above 1023.`;
  // Some tools set HOST for purposes of their own: conda, csh.
  return `Can't listen on HOST ${JSON.stringify(host)} (${message}): set HOST to an address of this machine, such as localhost.`;
}

/** Stops accepting connections and waits for running requests. */
export async function close({ server, close }: App): Promise<void> {
  if (close !== undefined) await close();
  else await new Promise((resolve) => server.close(resolve));
}

async function stop(app: App): Promise<void> {
  const { server, sessions } = app;
  // Upgraded connections, and a store that hangs, would keep the process alive.
  setTimeout(() => process.exit(0), FORCE_EXIT_MS).unref();
  const force = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  // A kept connection ends with its next response, or with the one that is under way.
  server.prependListener("request", (_request, response) => response.setHeader("Connection", "close"));
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  await close(app);
  clearTimeout(force);
  clearInterval(sweep);
  await sessions.close();
  process.exit(0);
}

/** Where events are logged. A logger of pino has this interface. */
interface EventLog {
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
}

/** One line of JSON for each event. */
const jsonLines: EventLog = {
  info: (fields, event) => console.log(JSON.stringify({ time: new Date().toISOString(), event, ...fields })),
  warn: (fields, event) => console.error(JSON.stringify({ time: new Date().toISOString(), event, ...fields })),
};

/** No event holds a secret. */
export function logEvent(event: SessionEvent, log = jsonLines): void {
  const { type, ...fields } = event;
  if (PROBLEMS.includes(type)) log.warn(fields, `session.${type}`);
  else log.info(fields, `session.${type}`);
}
