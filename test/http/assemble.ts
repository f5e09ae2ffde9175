// Puts a project together from the packs without the initializer, so that the suites can run what was edited a second ago.
// Change it when a project gets files from another place.

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openAssets } from "../../create-session-app/src/packs/assets.ts";
import { planProject } from "../../create-session-app/src/project/plan.ts";
import { type Pair, repository, roots } from "../../scripts/packs.ts";

/** Makes a fresh project in .build/`name`/framework-backend.pid and returns its folder, which stays there until the next run. */
export async function assemble(pair: Pair, name: string): Promise<string> {
  const folder = join(repository, ".build", name);
  await removeLeftOvers(folder);
  const project = join(folder, `${pair.framework}-${pair.backend}.${process.pid}`);
  await rm(project, { recursive: true, force: true });
  await mkdir(project, { recursive: true });
  for (const root of roots(pair)) {
    // The runtime's other files belong to the repository, not to a project.
    const [from, to] = root === "runtime" ? [join(root, "src"), join(project, "src")] : [root, project];
    await cp(join(repository, from), to, { recursive: true, filter: (source) => !source.endsWith(".hbs") });
  }
  await restoreNames(project);
  await writeFile(join(project, "package.json"), `${JSON.stringify({ type: "module", private: true })}\n`);
  for (const pack of ["base", `backends/${pair.backend}`, `frameworks/${pair.framework}`]) await link(pack, project);
  return project;
}

/** Makes a project that still has the store `previous` in an empty folder: by the initializer, which puts that in its place. */
export async function assembleMove(pair: Pair, previous: string, project: string): Promise<void> {
  const assets = openAssets(join(repository, "create-session-app", "src"));
  const packOf = (kind: "frameworks" | "backends", id: string) => {
    const found = assets.catalog[kind].find((pack) => pack.id === id);
    if (!found) throw new Error(`there is no pack ${id}`);
    return found;
  };
  const answers = {
    name: "app",
    packageManager: "npm",
    minimal: false,
    nodePinned: false,
    workspaceMember: false,
  } as const;
  const chosen = {
    framework: packOf("frameworks", pair.framework),
    backend: packOf("backends", pair.backend),
    previous: packOf("backends", previous),
  };
  const input = { catalog: assets.catalog, read: assets.read, render: await assets.loadRenderer() };
  for (const [path, { content }] of planProject({ ...answers, ...chosen }, input)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), content);
  }
  const packs = [`backends/${pair.backend}`, `backends/${previous}`, `frameworks/${pair.framework}`];
  for (const pack of ["base", ...packs]) await link(pack, project);
}

/** Removes the projects of processes that have ended; those of running processes are in use. */
async function removeLeftOvers(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const name of await readdir(folder)) {
    const pid = Number(/\.(\d+)$/.exec(name)?.[1]);
    if (pid && !isRunning(pid)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** npm drops .gitignore and its like from packages, so the packs keep them as _gitignore. */
async function restoreNames(project: string): Promise<void> {
  for (const name of await readdir(project)) {
    if (name.startsWith("_")) await rename(join(project, name), join(project, `.${name.slice(1)}`));
  }
}

/** Links the dependencies that are installed for the pack; the repository's own may be of another major version. */
async function link(pack: string, project: string): Promise<void> {
  const folder = join(repository, "templates", pack);
  const { dependencies = {}, devDependencies = {} } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const installed = [folder, repository].map((at) => join(at, "node_modules", name)).find((at) => existsSync(at));
    const place = join(project, "node_modules", name);
    if (!installed) throw new Error(`${name}, which templates/${pack} depends on, is not installed`);
    if (existsSync(place)) continue;
    await mkdir(dirname(place), { recursive: true });
    // On Windows only a junction needs no special right; elsewhere the type is ignored.
    await symlink(installed, place, "junction");
  }
}
