// What the published package has in place of assets.ts: the catalogue, the files and the templates, prepared by the build.
// Change it together with build.ts, which writes the archive that this reads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import type { Assets } from "./assets.ts";
import type { Catalog } from "./catalog.ts";
import type { Part } from "./template.ts";
import { fillIn } from "./template.ts";

/** The archive: this as JSON, a line break, and the bytes of all files one after the other. */
export interface ArchiveHead {
  catalog: Catalog;
  templates: Record<string, Part[]>;
  /** By source, in the order of their bytes. */
  lengths: Record<string, number>;
}

export const ARCHIVE = "projects.br";

/** The whole archive in one piece: by default it comes in many small ones, which takes twice the time. */
const WHOLE = { chunkSize: 1 << 20 };

export function openAssets(): Assets {
  const archive = brotliDecompressSync(readFileSync(join(import.meta.dirname, ARCHIVE)), WHOLE);
  const headEnd = archive.indexOf("\n");
  const { catalog, templates, lengths } = JSON.parse(archive.toString("utf8", 0, headEnd)) as ArchiveHead;
  const ends = new Map<string, number>();
  let end = headEnd + 1;
  for (const [source, length] of Object.entries(lengths)) {
    end += length;
    ends.set(source, end);
  }
  return {
    catalog,
    read(source) {
      const fileEnd = ends.get(source);
      if (fileEnd === undefined) throw new Error(`The archive has no ${source}.`);
      return archive.subarray(fileEnd - (lengths[source] ?? 0), fileEnd);
    },
    async loadRenderer() {
      return (source, context) => fillIn(templates[source] ?? [], [context]);
    },
  };
}
