// Holds the driver of every backend to the contract: each folder of templates/backends, on each of its servers.
// Nothing to change here for a new backend: the folder is the registry. One alone: `vitest -t "driver sqlite"`.

import { packs } from "../../scripts/packs.ts";
import { type ServerName, server } from "../servers/server.ts";
import { type Connection, conformance } from "./conformance.ts";
import { fixtureOf } from "./fixtures.ts";

for (const backend of packs("backends")) {
  const fixture = await fixtureOf(backend);
  if (fixture.server === undefined) conformance(`driver ${backend}`, fixture, async () => ({ url: undefined }));
  for (const name of [fixture.server, ...(fixture.variants ?? [])]) {
    if (name !== undefined) conformance(`driver ${backend} on ${name}`, fixture, () => connect(name));
  }
}

async function connect(name: ServerName): Promise<Connection> {
  const running = await server(name);
  return running ? { url: running.url } : { missing: `no ${name} server here` };
}
