// Fills in what the templates may use (packs/template-context.ts).
// Change it together with that file.
import type { Pack } from "../packs/catalog.ts";
import type { TemplateContext } from "../packs/template-context.ts";
import type { Choice } from "./choice.ts";
import type { Commands } from "./package-manager.ts";
import { commands } from "./package-manager.ts";

export function templateContext(choice: Choice, version: string): TemplateContext {
  const { name, framework, backend, previous, packageManager, minimal, nodePinned, workspaceMember } = choice;
  const pm = { id: packageManager, ...commands[packageManager] };
  const { label, hint, summary, server, environment, needsSettings, inProcess } = backend;
  return {
    name,
    slug: name.replace(/^@/, "").replace(/[^a-z0-9]+/g, "-"),
    version,
    minimal,
    nodePinned,
    workspaceMember,
    framework: {
      id: framework.id,
      label: framework.label,
      hint: framework.hint,
      summary: framework.summary,
      section: sectionOf(framework, pm),
    },
    backend: {
      id: backend.id,
      label,
      hint,
      summary,
      server,
      environment,
      needsSettings,
      hasSqlSchema: backend.listFiles().some(({ path }) => path === "schema.sql"),
      inProcess,
      section: sectionOf(backend, pm),
    },
    previous: previous ? { label: previous.label } : null,
    pm,
  };
}

/** Sections are written with npm's commands. */
function sectionOf(pack: Pack, { test, run, args }: Commands): string {
  return pack
    .readSection()
    .replaceAll("npm test", test)
    .replace(/npm run (\w+)( --)?/g, (_, script, dashes) => `${run} ${script}${dashes ? args : ""}`);
}
