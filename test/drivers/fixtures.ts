// Finds the backends' fixtures: the folders of templates/backends are the registry.
// Change it when fixtures lie elsewhere.

import { join } from "node:path";
import { repository } from "../../scripts/packs.ts";
import type { Fixture } from "./fixture.ts";

export async function fixtureOf(backend: string): Promise<Fixture> {
  const file = join(repository, "templates/backends", backend, "conformance.ts");
  return ((await import(file)) as { default: Fixture }).default;
}
