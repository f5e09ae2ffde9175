// What a measured server does besides serving: it says where it listens, and how much CPU it has used.
// Call it from the script of a contender, whatever its framework is; measure.ts starts that script.
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

const FILLER = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, "x".repeat(38)]));
const SESSIONS = 500;

/** Listens, after it has made 500 sessions of 1 kB. @param make makes one and resolves to the Cookie header that brings it back */
export async function serve(server: Server, make: (data: Record<string, unknown>) => Promise<string>): Promise<void> {
  const cookies: string[] = [];
  for (let count = 0; count < SESSIONS; count++) cookies.push(await make({ user: "ann", count: 0, ...FILLER }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.on("disconnect", () => process.exit(0));
  process.send?.({ port: (server.address() as AddressInfo).port, cookies });
}
