// What the published package has in place of assets.ts: the catalogue, the files and the templates, prepared by the build.
// Change it together with build.ts, which writes the archive that this reads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import type { Assets } from "./assets.ts";
import type { Catalog, LayerFile } from "./catalog.ts";
import { fromShorthand } from "./shorthand.ts";
import type { Part } from "./template.ts";
import { fillIn } from "./template.ts";

/** The archive: frequent words as JSON, this as JSON, and all texts one after the other; the last two in shorthand. A line break between them. */
export interface ArchiveHead {
  catalog: Catalog;
  templates: Record<string, Part[]>;
  /** In Base64. */
  binaries: Record<string, string>;
  /** Of the texts in shorthand, in the order of `filesOf`. */
  lengths: number[];
}

export const ARCHIVE = "projects.br";

/** The whole archive in one piece: by default it comes in many small ones, which takes twice the time. */
const WHOLE = { chunkSize: 1 << 20 };

export function filesOf({ common, frameworks, backends }: Catalog): LayerFile[] {
  return [...common, ...frameworks, ...backends].flatMap(({ files }) => files);
}

export function openAssets(): Assets {
  const archive = brotliDecompressSync(readFileSync(join(import.meta.dirname, ARCHIVE)), WHOLE).toString();
  const wordsEnd = archive.indexOf("\n");
  const headEnd = archive.indexOf("\n", wordsEnd + 1);
  const words: string[] = JSON.parse(archive.slice(0, wordsEnd));
  const head: ArchiveHead = JSON.parse(fromShorthand(archive.slice(wordsEnd + 1, headEnd), words));
  const { catalog, templates, binaries, lengths } = head;
  const texts = new Map<string, string>();
  let start = headEnd + 1;
  for (const { source } of filesOf(catalog)) {
    if (source in templates || source in binaries) continue;
    const end = start + (lengths[texts.size] ?? 0);
    texts.set(source, archive.slice(start, end));
    start = end;
  }
  return {
    catalog,
    read(source) {
      const text = texts.get(source);
      if (text !== undefined) return Buffer.from(fromShorthand(text, words));
      return Buffer.from(binaries[source] ?? "", "base64");
    },
    async loadRenderer() {
      return (source, context) => fillIn(templates[source] ?? [], [context]);
    },
  };
}
