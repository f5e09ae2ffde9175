// Holds the driver of every backend to the contract: each folder of templates/backends with a conformance.ts, on each of its servers.
// Nothing to change here for a new backend: the folder is the registry. One alone: `vitest -t "driver sqlite"`.

import { existsSync, readdirSync } from "node:fs";
import { type ServerName, server } from "../servers/server.ts";
import { type Connection, conformance } from "./conformance.ts";
import type { Fixture } from "./fixture.ts";

const backends = new URL("../../templates/backends/", import.meta.url);

for (const backend of readdirSync(backends).sort()) {
  const file = new URL(`${backend}/conformance.ts`, backends);
  if (!existsSync(file)) continue;
  const { default: fixture } = (await import(file.href)) as { default: Fixture };
  if (fixture.server === undefined) conformance(`driver ${backend}`, fixture, async () => ({ url: undefined }));
  for (const name of [fixture.server, ...(fixture.variants ?? [])]) {
    if (name !== undefined) conformance(`driver ${backend} on ${name}`, fixture, () => connect(name));
  }
}

async function connect(name: ServerName): Promise<Connection> {
  const running = await server(name);
  return running ? { url: running.url } : { missing: `no ${name} server here` };
}
