// Compiles the templates (*.hbs) by Handlebars: in a clone when it runs, for the package when it is built.
// Change it to give all templates another option of Handlebars.
import handlebars from "handlebars";
import type { TemplateContext } from "./template-context.ts";

/** Renders the template with this `source`. */
export type Render = (source: string, context: TemplateContext) => string;

/** With `strict`, a misspelt name fails instead of rendering as nothing. These files are not HTML, hence `noEscape`. */
const OPTIONS = { noEscape: true, strict: true, knownHelpersOnly: true } as const;

/** build.ts puts another one in its place, which has the compiled templates. */
export function renderer(read: (source: string) => Buffer): Render {
  return (source, context) => handlebars.compile(read(source).toString("utf8"), OPTIONS)(context);
}

/** The source of an argument for `template` of "handlebars/runtime". */
export function precompile(text: string): string {
  return String(handlebars.precompile(text, OPTIONS));
}
