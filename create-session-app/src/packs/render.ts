// Compiles the templates (*.hbs) by Handlebars: when the package is built, since that takes longer than all the rest of a run; in a clone, when it runs.
// Change it to give all templates another option of Handlebars.
import handlebars from "handlebars";
import type { TemplateContext } from "./template-context.ts";

export type Template = (context: TemplateContext) => string;

/** Renders the template with this `source`. */
export type Render = (source: string, context: TemplateContext) => string;

/** With `strict`, a misspelt name fails instead of rendering as nothing. These files are not HTML, hence `noEscape`. */
const OPTIONS = { noEscape: true, strict: true } as const;

export function compile(text: string): Template {
  return handlebars.compile(text, OPTIONS);
}

/** The same as the source of an argument for `template` of "handlebars/runtime". */
export function precompile(text: string): string {
  return String(handlebars.precompile(text, OPTIONS));
}
