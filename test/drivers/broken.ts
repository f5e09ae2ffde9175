// What the tests of wrong settings and of servers that hang or die share: what they opened is closed after each test.
// Change it when they open something else; what is one store's own stays in its file.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect } from "vitest";
import type { SessionDriver } from "../../runtime/src/session/contract.ts";

/** Has what a URL must encode, and must be in no message. */
export const PASSWORD = "s3cret/@pass:word";

export const drivers: SessionDriver[] = [];
const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  for (const listening of servers.splice(0)) listening.close();
  for (const socket of sockets) socket.destroy();
});

/** A port on which `answer` gets each connection. */
export async function listen(answer: (socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy()));
    answer(socket);
  });
  servers.push(listening);
  await once(listening.listen(0, "127.0.0.1"), "listening");
  return (listening.address() as AddressInfo).port;
}

/** A connection to the real server, for what passes through a port of `listen`. It ends when `socket` does. */
export function onwardTo(host: string, port: number, socket: Socket): Socket {
  const onward = connect(port, host);
  sockets.add(onward.on("close", () => sockets.delete(onward)).on("error", () => socket.destroy()));
  socket.on("close", () => onward.destroy());
  return onward;
}

/** What `work` rejects with. */
export async function failure(work: unknown): Promise<Error> {
  const error = await Promise.resolve(work).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}
