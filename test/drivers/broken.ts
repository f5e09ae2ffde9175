// What the tests of wrong settings and of servers that hang or die share: what they opened is closed after each test.
// Change it when they open something else; what is one store's own stays in its file.
import type { Server, Socket } from "node:net";
import { afterEach, expect } from "vitest";
import type { SessionDriver } from "../../runtime/src/session/contract.ts";

/** Has what a URL must encode, and must be in no message. */
export const PASSWORD = "s3cret/@pass:word";

export const drivers: SessionDriver[] = [];
export const servers: Server[] = [];
export const sockets = new Set<Socket>();

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  for (const listening of servers.splice(0)) listening.close();
  for (const socket of sockets) socket.destroy();
});

/** What `work` rejects with. */
export async function failure(work: unknown): Promise<Error> {
  const error = await Promise.resolve(work).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}
