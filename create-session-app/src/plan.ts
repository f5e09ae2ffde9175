// Answers in, files out: the whole project in memory, before anything touches the disk. Pure: the same in, the same out.
// Change it when a project gets a file that no pack holds.
import type { Render } from "./assets.ts";
import type { Catalog, Layer, Pack } from "./catalog.ts";
import { checksum } from "./checksum.ts";
import { formatManifest, mergeManifests } from "./merge.ts";
import type { PackageManager } from "./package-manager.ts";
import { NEEDED_NODE, packageManagerFiles, pinnedNode } from "./package-manager.ts";
import { templateContext } from "./template-context.ts";

/** Everything that a project's content depends on, besides the version of create-session-app. */
export interface Choice {
  name: string;
  framework: Pack;
  backend: Pack;
  packageManager: PackageManager;
  /** The Node here is too old for the project: it gets a current one as a dev dependency. */
  nodePinned: boolean;
}

export interface PlannedFile {
  content: Uint8Array;
  mode: number;
  /** Tells this content from another (checksum.ts). */
  checksum: string;
}

/** By path, with forward slashes, in the order of their names. */
export type Plan = ReadonlyMap<string, PlannedFile>;

export interface PlanInput {
  catalog: Catalog;
  read(source: string): Uint8Array;
  render: Render;
}

/** Notes the answers and what was generated, so that a later version can tell the user's changes from its own. */
const RECORD = ".session-app.json";

export function planProject(choice: Choice, { catalog, read, render }: PlanInput): Plan {
  const layers: Layer[] = [...catalog.common, choice.framework, choice.backend];
  if (choice.nodePinned) layers.push(pinnedNode(catalog.pinnedNode));
  const context = templateContext(choice, catalog.version);
  const files = new Map<string, PlannedFile>();
  const origins = new Map<string, string>();
  const add = (path: string, content: Uint8Array, origin: string) => {
    claim(origins, path, origin);
    files.set(path, { content, mode: mode(content), checksum: checksum(content) });
  };

  for (const { origin, files: supplied } of layers) {
    for (const { path, source, template } of supplied) {
      add(path, template ? encode(render(source, context)) : read(source), origin);
    }
  }
  const manifest = mergeManifests(choice.name, layers);
  manifest.engines ??= { node: `>=${NEEDED_NODE}` };
  for (const [path, content] of packageManagerFiles(choice.packageManager, manifest)) {
    add(path, encode(content), choice.packageManager);
  }
  add("package.json", encode(formatManifest(manifest)), "package.json");
  add(RECORD, encode(recordText(choice, catalog.version, files)), "the record of what was generated");
  refuseNesting(origins);
  return new Map(byPath(files));
}

function recordText(choice: Choice, version: string, files: Plan): string {
  const answers = {
    name: choice.name,
    framework: choice.framework.id,
    backend: choice.backend.id,
    packageManager: choice.packageManager,
    nodePinned: choice.nodePinned,
  };
  const checksums = Object.fromEntries(byPath(files).map(([path, file]) => [path, file.checksum]));
  return `${JSON.stringify({ version, answers, files: checksums }, null, 2)}\n`;
}

/** Two suppliers of one path would be settled by chance. Some file systems don't tell capitals apart. */
function claim(origins: Map<string, string>, path: string, origin: string): void {
  const key = path.toLowerCase();
  const before = origins.get(key);
  if (before !== undefined) throw new Error(`${path} is supplied by ${before} and by ${origin}.`);
  origins.set(key, origin);
}

function refuseNesting(origins: ReadonlyMap<string, string>): void {
  for (const [path, origin] of origins) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const file = origins.get(path.slice(0, end));
      if (file !== undefined) throw new Error(`${path.slice(0, end)} is a file in ${file} and a folder in ${origin}.`);
    }
  }
}

/** Said by the content, not by the packed file: npm and git don't keep modes alike. */
function mode(content: Uint8Array): number {
  return content[0] === 0x23 && content[1] === 0x21 ? 0o755 : 0o644;
}

function encode(text: string): Uint8Array {
  return Buffer.from(text);
}

/** By code unit, so that no machine's locale has a say. */
function byPath(files: Plan): [string, PlannedFile][] {
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1));
}
