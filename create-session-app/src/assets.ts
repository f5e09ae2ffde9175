// Where the catalogue, the files and the renderer come from. In the clone: the folders themselves.
// The build (build.ts) puts another module in this one's place: the catalogue and the templates, prepared beforehand.
import { readFileSync } from "node:fs";
import type { Catalog } from "./catalog.ts";
import { readCatalog } from "./catalog.ts";
import type { TemplateContext } from "./template-context.ts";

export type Render = (source: string, context: TemplateContext) => string;

export interface Assets {
  catalog: Catalog;
  read(source: string): Uint8Array;
  /** Loads Handlebars, so it is called only when a project is planned. */
  loadRenderer(): Promise<Render>;
}

export function openAssets(root = new URL("../../", import.meta.url)): Assets {
  const read = (source: string) => readFileSync(new URL(source, root));
  return {
    catalog: readCatalog(root),
    read,
    async loadRenderer() {
      const { default: handlebars } = await import("handlebars");
      return (source, context) => handlebars.compile(read(source).toString("utf8"), RENDERING)(context);
    },
  };
}

/** `strict`: a misspelt name fails instead of rendering as nothing. `noEscape`: these files are not HTML. */
export const RENDERING = { noEscape: true, strict: true } as const;
