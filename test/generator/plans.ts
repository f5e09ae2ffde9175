// Plans projects in memory, from the small packs of fixtures/ or from the real ones.
// Change it when planning needs another input.
import { join } from "node:path";
import type { Assets } from "../../create-session-app/src/packs/assets.ts";
import { openAssets } from "../../create-session-app/src/packs/assets.ts";
import type { Catalog, Pack } from "../../create-session-app/src/packs/catalog.ts";
import type { Choice } from "../../create-session-app/src/project/choice.ts";
import type { Plan } from "../../create-session-app/src/project/plan.ts";
import { planProject } from "../../create-session-app/src/project/plan.ts";
import { cloneWithFixtures, repository } from "./sandbox.ts";

export const fixtures = openAssets(join(cloneWithFixtures(), "create-session-app/src"));

/** The packs of this repository. */
export const real = openAssets(join(repository, "create-session-app/src"));

export function pack(packs: readonly Pack[], id: string): Pack {
  const found = packs.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no pack ${id}`);
  return found;
}

export function choice(catalog: Catalog, changes: Partial<Choice> = {}): Choice {
  const [framework] = catalog.frameworks;
  const [backend] = catalog.backends;
  if (framework === undefined || backend === undefined) throw new Error("there are no packs");
  const rest = { packageManager: "npm", minimal: false, nodePinned: false, workspaceMember: false } as const;
  return { name: "my-app", framework, backend, ...rest, ...changes };
}

export async function plan(changes: Partial<Choice> = {}, assets: Assets = fixtures): Promise<Plan> {
  const { catalog, read } = assets;
  return planProject(choice(catalog, changes), { catalog, read, render: await assets.loadRenderer() });
}

export function text(files: Plan, path: string): string {
  return new TextDecoder().decode(files.get(path)?.content);
}

export function manifest(files: Plan): Record<string, Record<string, unknown>> {
  return JSON.parse(text(files, "package.json"));
}
