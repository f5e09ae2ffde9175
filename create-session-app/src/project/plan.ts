// Makes the whole project in memory, before anything touches the disk: answers in, files out. The same answers give the same bytes.
// Change it when a project gets a file that no pack holds.
import type { Assets } from "../packs/assets.ts";
import type { Catalog, Layer, LayerFile } from "../packs/catalog.ts";
import type { Render } from "../packs/render.ts";
import type { Choice } from "./choice.ts";
import { templateContext } from "./context.ts";
import { formatManifest, mergeManifests } from "./manifest.ts";
import { isExample, MAIN, withoutExample } from "./minimal.ts";
import { asPrevious, isPrevious, layersOfMove } from "./move.ts";
import { NEEDED_NODE, pinnedNode } from "./node-version.ts";
import { type InstallScripts, installScripts, packageManagerFiles } from "./package-manager.ts";
import { blobId, RECORD, type RecordedFile, recordText } from "./record.ts";

export interface PlannedFile {
  content: Uint8Array;
  mode: number;
}

/** By path, with forward slashes, in the order of their names. */
export type Plan = ReadonlyMap<string, PlannedFile>;

export interface PlanInput {
  catalog: Catalog;
  read: Assets["read"];
  render: Render;
}

/** The origin, in the record, of files that several packs have a share in. */
const PROJECT = "project";

export function planProject(choice: Choice, { catalog, read, render }: PlanInput): Plan {
  const layers = layersOf(choice, catalog);
  const context = templateContext(choice, catalog.version);
  const files = new Map<string, PlannedFile>();
  const origins = new Map<string, string>();
  const record: Record<string, RecordedFile> = {};
  const add = (path: string, content: Uint8Array, origin: string) => {
    claim(origins, path, origin);
    files.set(path, { content, mode: modeOf(content) });
  };
  const contentOf = ({ path, source, template }: LayerFile, origin: string) => {
    const content = template ? encode(render(source, context)) : read(source);
    if (isPrevious(path)) return encode(asPrevious(decode(content)));
    return choice.minimal && path === MAIN ? encode(withoutExample(decode(content), origin)) : content;
  };

  for (const { origin, listFiles } of layers) {
    for (const file of listFiles()) add(file.path, contentOf(file, origin), origin);
  }
  const manifest = mergeManifests(choice.name, layers);
  manifest.engines ??= { node: `>=${NEEDED_NODE}` };
  for (const [path, content] of packageManagerFiles(choice, manifest)) add(path, encode(content), PROJECT);
  add("package.json", encode(formatManifest(manifest)), PROJECT);

  for (const [path, { content }] of byPath(files)) {
    record[path] = { pack: origins.get(keyOf(path)) ?? PROJECT, blob: blobId(content) };
  }
  add(RECORD, encode(recordText(choice, catalog.version, record)), PROJECT);
  refuseNesting(origins);
  return new Map(byPath(files));
}

/** What a plan generates, without the record. */
export function contentsOf(plan: Plan): Map<string, Uint8Array> {
  const files = [...plan].filter(([path]) => path !== RECORD);
  return new Map(files.map(([path, { content }]) => [path, content]));
}

/** Which dependencies of the project have install scripts. */
export function installScriptsOf(choice: Choice, catalog: Catalog): InstallScripts {
  return installScripts(mergeManifests(choice.name, layersOf(choice, catalog)));
}

function layersOf(choice: Choice, catalog: Catalog): Layer[] {
  const layers = layersOfMove([...catalog.common, choice.framework, choice.backend], choice.previous);
  if (choice.nodePinned) layers.push(pinnedNode(catalog.pinnedNode));
  return choice.minimal ? layers.map(withoutExampleFiles) : layers;
}

function withoutExampleFiles(layer: Layer): Layer {
  const dependencies = Object.entries(layer.manifest.dependencies ?? {});
  const left = dependencies.filter(([name]) => !layer.exampleDependencies.includes(name));
  return {
    ...layer,
    manifest: { ...layer.manifest, dependencies: Object.fromEntries(left) },
    listFiles: () => layer.listFiles().filter(({ path }) => !isExample(path)),
  };
}

/** Some file systems don't tell capitals from small letters. */
function keyOf(path: string): string {
  return path.toLowerCase();
}

/** Two suppliers of one path would leave it to chance which of them wins. */
function claim(origins: Map<string, string>, path: string, origin: string): void {
  const before = origins.get(keyOf(path));
  if (before !== undefined) throw new Error(`${path} is supplied by ${before} and by ${origin}.`);
  origins.set(keyOf(path), origin);
}

function refuseNesting(origins: ReadonlyMap<string, string>): void {
  for (const [path, origin] of origins) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const file = origins.get(path.slice(0, end));
      if (file !== undefined) throw new Error(`${path.slice(0, end)} is a file in ${file} and a folder in ${origin}.`);
    }
  }
}

/** The content decides which files are executable: npm and git don't keep modes alike. */
function modeOf(content: Uint8Array): number {
  return content[0] === 0x23 && content[1] === 0x21 ? 0o755 : 0o644;
}

function encode(text: string): Uint8Array {
  return Buffer.from(text);
}

function decode(content: Uint8Array): string {
  return Buffer.from(content).toString("utf8");
}

/** By code unit, so that the order doesn't depend on the machine's locale. */
function byPath(files: Plan): [string, PlannedFile][] {
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1));
}
