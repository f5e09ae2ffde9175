// How the process starts and stops, and what it logs.
// Change here where log lines go and how long a shutdown may take.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Config } from "../config.ts";
import type { SessionEvent } from "../session/events.ts";
import type { Sessions } from "../session/sessions.ts";

/** Milliseconds that running requests have left at a stop. */
const GRACE = 8_000;
/** Milliseconds after which it stops in any case. */
const LAST = 9_500;
/** Milliseconds between two looks for connections on which nothing runs any more. */
const SWEEP = 100;

/** What a signal does; nothing runs yet. */
let stop: () => unknown = () => process.exit(0);

/** Ends the process with one line if the store can't be used within `startTimeout`. */
export async function waitForStore(sessions: Sessions, { setup, startTimeout }: Config): Promise<void> {
  // By now: the first process of a container is stopped by no signal that it doesn't handle.
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => stop());
  try {
    await sessions.ready(setup, startTimeout, (line) => console.error(line));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/** Says where the app listens, or ends the process with one line if it can't. */
export function announce(server: Server, { host, port }: Config): void {
  server.once("listening", () => {
    const address = server.address() as AddressInfo;
    console.log(`Listening on http://${host.includes(":") ? `[${host}]` : host}:${address.port}`);
  });
  server.once("error", (error: NodeJS.ErrnoException) => {
    const inUse = error.code === "EADDRINUSE";
    console.error(inUse ? `Port ${port} is in use: set PORT to another one.` : `Can't listen: ${error.message}`);
    process.exit(1);
  });
}

/** At SIGTERM or SIGINT: finish what runs, close the store, exit 0. `close` is the framework's own way, if it has one. */
export function stopOnSignal(
  server: Server,
  sessions: Sessions,
  close: () => Promise<unknown> = () => new Promise((resolve) => server.close(resolve)),
): void {
  stop = async () => {
    // Upgraded connections and a store that hangs don't go by themselves.
    setTimeout(() => process.exit(0), LAST).unref();
    const force = setTimeout(() => server.closeAllConnections(), GRACE);
    // Kept connections end with their next answer, or the one under way.
    server.prependListener("request", (_request, response) => response.setHeader("Connection", "close"));
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP);
    await close();
    clearTimeout(force);
    clearInterval(sweep);
    await sessions.close();
    process.exit(0);
  };
}

/** One JSON line an event; none holds a secret. */
export function logEvent(event: SessionEvent): void {
  const { type, ...rest } = event;
  console[isProblem(event) ? "error" : "log"](
    JSON.stringify({ time: new Date().toISOString(), event: `session.${type}`, ...rest }),
  );
}

/** Whether somebody should look into it. */
export function isProblem({ type }: SessionEvent): boolean {
  return type === "storeDown" || type === "locked" || type === "unreadable" || type === "warning";
}
