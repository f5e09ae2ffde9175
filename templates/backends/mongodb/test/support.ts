// What the tests of the MongoDB driver share: drivers, refusals, and a server that says what a test tells it to.
// Change it when the driver's settings change.

import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { expect, onTestFinished } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD } from "../../../../test/drivers/broken.ts";
import { START } from "../../../../test/drivers/rows.ts";
import { type Document, wireServer } from "../../../../test/servers/mongodb/wire.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

export const LOGIN = `app:${encodeURIComponent(PASSWORD)}`;

/** How long to wait for what is hung, dead or wrong, in milliseconds. */
export const TIMEOUT = 1000;

export function open(settings: StoreSettings, timeout = TIMEOUT): SessionDriver {
  const driver = createDriver(settings, timeout);
  drivers.push(driver);
  return driver;
}

export function read(url: string, collection = "sessions"): StoreSettings {
  return readStoreSettings(new Environment({ MONGODB_URL: url, MONGODB_COLLECTION: collection }));
}

/** Expects one line that names the setting and not the password, from every call alike. */
export async function expectRefusal(url: string, line: RegExp): Promise<void> {
  const driver = open(read(url));
  for (const call of ["setup", "check", "ping", "stats"] as const) {
    const error = await failure(driver[call](START));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^[^\n]{10,300}$/);
    expect(error.message).toMatch(line);
    expect(error.message).not.toContain(PASSWORD);
    expect(error.message).not.toContain(encodeURIComponent(PASSWORD));
  }
}

/** Returns the port on which the server listens from now until the test ends. */
export async function listenOn(listening: Server): Promise<number> {
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

/**
 * No mongod can be had here. What only it does (signing in, permissions, stepping down) is said to the driver in its words.
 * A command for which `reply` returns nothing succeeds.
 */
export async function mongodThat(
  reply: (command: Document) => Document | undefined,
  member: () => Document = () => ({}),
): Promise<number> {
  const base = { ismaster: true, isWritablePrimary: true, maxWireVersion: 25, minWireVersion: 0, ok: 1 };
  const hello = () => ({ ...base, ...member() });
  return await listenOn(wireServer(hello, async (command) => reply(command) ?? { ok: 1, n: 1 }));
}
