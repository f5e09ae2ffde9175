// What the published package has in place of assets.ts: the catalogue, the files and the templates, prepared by the build.
// Change it together with build.ts, which writes the archive that this reads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import type { Assets } from "./assets.ts";
import type { Catalog, Layer } from "./catalog.ts";
import { Shorthand } from "./shorthand.ts";
import type { Part } from "./template.ts";
import { fillIn } from "./template.ts";

/** The archive's first line, as JSON. After it come the program, the words, the head and all texts, a line break after each. */
export interface ArchiveLayout {
  /** Bytes of the program that reads shorthand. */
  reader: number;
  /** Bytes of the words. */
  words: number;
  /** How many words there are of each length, from 0 on. */
  counts: number[];
}

/** As JSON, in shorthand. */
export interface ArchiveHead {
  /** Without files. */
  catalog: Catalog;
  /** The files of each layer. */
  paths: string[][];
  /** By source, as the files that follow. */
  templates: Record<string, Part[]>;
  /** In Base64. */
  binaries: Record<string, string>;
  /** In bytes, of the texts: all other files, layer by layer, then the sections of the frameworks and the backends. */
  lengths: number[];
}

export const ARCHIVE = "projects.br";

/** The whole archive in one piece: by default it comes in many small ones, which takes twice the time. */
const WHOLE = { chunkSize: 1 << 20 };

export function layersOf({ common, frameworks, backends }: Catalog): Layer[] {
  return [...common, ...frameworks, ...backends];
}

/** What a file is called here. */
export function sourceOf({ origin }: Layer, path: string): string {
  return `${origin}/${path}`;
}

export function openAssets(): Assets {
  const archive = brotliDecompressSync(readFileSync(join(import.meta.dirname, ARCHIVE)), WHOLE);
  let end = -1;
  const next = (length = archive.indexOf("\n", end + 1) - end - 1) => {
    const start = end + 1;
    end = start + length;
    return archive.subarray(start, end);
  };
  const { reader, words, counts }: ArchiveLayout = JSON.parse(next().toString());
  const shorthand = new Shorthand(new Uint8Array(next(reader)), next(words), counts);
  const head: ArchiveHead = JSON.parse(shorthand.read(next()).toString());
  const { catalog, paths, templates, binaries, lengths } = head;
  const texts = new Map<string, Uint8Array>();
  const rest = lengths.values();
  for (const [index, layer] of layersOf(catalog).entries()) {
    layer.files = (paths[index] ?? []).map((path) => {
      const source = sourceOf(layer, path);
      const template = source in templates;
      if (!template && !(source in binaries)) texts.set(source, next(rest.next().value));
      return { path, source, template };
    });
  }
  for (const pack of [...catalog.frameworks, ...catalog.backends]) {
    const section = next(rest.next().value);
    Object.defineProperty(pack, "section", { get: () => shorthand.read(section).toString() });
  }
  return {
    catalog,
    read(source) {
      const text = texts.get(source);
      return text === undefined ? Buffer.from(binaries[source] ?? "", "base64") : shorthand.read(text);
    },
    async loadRenderer() {
      return (source, context) => fillIn(templates[source] ?? [], [context]);
    },
  };
}
