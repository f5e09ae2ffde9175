// Opens what projects are made of: the files of the packs, the catalog of them, and the renderer of their templates.
// Change it when the package keeps them in another place (build.ts writes them there).
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Catalog } from "./catalog.ts";
import { readCatalog } from "./catalog.ts";
import { filesInArchive, filesInFolders, type PackFiles } from "./files.ts";
import type { Render } from "./render.ts";

export interface Assets {
  catalog: Catalog;
  /** The bytes of a pack's file, by its `source` in the catalog. */
  read(source: string): Buffer;
  /** What CHANGELOG.md says. */
  changelog(): string;
  /** docs/security-fixes.json; the tests check its form. */
  securityFixes(): unknown;
  /** Called only when a project is planned, since it loads Handlebars. */
  loadRenderer(): Promise<Render>;
}

/** What build.ts puts beside the bundle: the files of the packs. */
export const ARCHIVE = "packs.br";

/** @param program the folder of the running program: dist/ of the package, or src/ of the clone */
export function openAssets(program: string): Assets {
  const archive = join(program, ARCHIVE);
  const files = existsSync(archive) ? filesInArchive(archive) : filesInFolders(join(program, "../.."));
  const read = (source: string) => mustRead(files, source);
  return {
    catalog: readCatalog(files, JSON.parse(readFileSync(join(program, "../package.json"), "utf8"))),
    read,
    securityFixes: () => JSON.parse(read("docs/security-fixes.json").toString("utf8")),
    changelog: () => read("CHANGELOG.md").toString("utf8"),
    loadRenderer: async () => (await import("./render.ts")).renderer(read),
  };
}

function mustRead(files: PackFiles, source: string): Buffer {
  const content = files.read(source);
  if (content === undefined) throw new Error(`The packs have no file ${source}.`);
  return content;
}
