// What a project gets while its sessions are moved: the store that it had before, and the code that copies from one to the other.
// Change it when a store consists of other files; templates/base/move and each backend's move/ hold what is added.
import type { Layer, LayerFile, Manifest, Pack } from "../packs/catalog.ts";

const STORE = "src/store/";
const PREVIOUS_STORE = "src/previous-store/";
const SCHEMA = "schema.";
const PREVIOUS_SCHEMA = "previous-schema.";

/** Whether a file is of the store that the project had before. */
export function isPrevious(path: string): boolean {
  return path.startsWith(PREVIOUS_STORE) || path.startsWith(PREVIOUS_SCHEMA);
}

/** The store's code, in its other place. */
export function asPrevious(text: string): string {
  return text.replaceAll(`../../${SCHEMA}`, `../../${PREVIOUS_SCHEMA}`).replaceAll(STORE, PREVIOUS_STORE);
}

/** The layers of a project, with what a move adds if there is one. */
export function layersOfMove(layers: readonly Layer[], previous: Pack | undefined): Layer[] {
  if (previous === undefined) return [...layers];
  return [
    ...layers.map((layer) => ({ ...layer, listFiles: () => withMoveFiles(layer) })),
    { ...previous, manifest: dependenciesOf(previous), listFiles: () => previousFiles(previous) },
  ];
}

function withMoveFiles(layer: Layer): LayerFile[] {
  const files = layer.listMoveFiles();
  const paths = new Set(files.map(({ path }) => path));
  return [...layer.listFiles().filter(({ path }) => !paths.has(path)), ...files];
}

function dependenciesOf({ manifest }: Pack): Manifest {
  const names = ["dependencies", "devDependencies", "allowScripts"];
  return Object.fromEntries(names.filter((name) => name in manifest).map((name) => [name, manifest[name]]));
}

function previousFiles(pack: Pack): LayerFile[] {
  return [...pack.listFiles(), ...pack.listMoveFiles()].flatMap((file) => {
    const { path } = file;
    if (path.startsWith(STORE)) return [{ ...file, path: PREVIOUS_STORE + path.slice(STORE.length) }];
    if (path.startsWith(SCHEMA)) return [{ ...file, path: PREVIOUS_SCHEMA + path.slice(SCHEMA.length) }];
    return [];
  });
}
