// What a template (*.hbs) may use. Handlebars runs with noEscape and strict: an unknown name fails the run.
// Change it to offer templates another name; templates/base/files/README.md.hbs is the one that uses most of them.

import { needsSettings } from "./next-steps.ts";
import { commands } from "./package-manager.ts";
import type { Choice } from "./plan.ts";

/*
  {{name}}                      the package's name
  {{slug}}                      the same in letters, digits and "-" only, as Docker wants names
  {{version}}                   of create-session-app
  {{framework.id}} .label .hint .summary
  {{framework.section}}         the framework's own part of the README, or nothing. "npm test" and "npm run x --" in a section
                                become what the package manager of the project calls them
  {{backend.id}} .label .hint .summary
  {{backend.server}}            null, or .name ("PostgreSQL 14 or newer") and .start (the command that starts it)
  {{backend.environment}}       a list of .name .value .comment .optional
  {{backend.needsSettings}}     true where .env must be there before the first start
  {{backend.section}}           the backend's own part of the README, or nothing
  {{pm.id}}                     npm, pnpm, yarn or bun
  {{pm.install}} {{pm.test}}    "npm install", "npm test"
  {{pm.run}}                    what goes before a script's name: "npm run", "yarn"
  {{pm.args}}                   what goes between a script's name and its arguments: " --" for npm, else nothing
  {{pm.exec}}                   runs a program of the project: "npx", "pnpm exec"
  {{nodePinned}}                true where `node` is a dev dependency
*/
export interface TemplateContext {
  name: string;
  slug: string;
  version: string;
  framework: { id: string; label: string; hint: string; summary: string; section: string };
  backend: {
    id: string;
    label: string;
    hint: string;
    summary: string;
    server: { name: string; start: string } | null;
    environment: { name: string; value: string; comment: string; optional: boolean }[];
    needsSettings: boolean;
    section: string;
  };
  pm: { id: string; install: string; test: string; run: string; args: string; exec: string };
  nodePinned: boolean;
}

export function templateContext(choice: Choice, version: string): TemplateContext {
  const { framework, backend } = choice;
  const { install, test, run, args, exec } = commands[choice.packageManager];
  const asTyped = (section: string) =>
    section
      .replaceAll("npm test", test)
      .replace(/npm run (\w+)( --)?/g, (_, script, dashes) => `${run} ${script}${dashes ? args : ""}`);
  return {
    name: choice.name,
    slug: choice.name.replace(/^@/, "").replace(/[^a-z0-9]+/g, "-"),
    version,
    framework: {
      id: framework.id,
      label: framework.label,
      hint: framework.hint,
      summary: framework.summary,
      section: asTyped(framework.section),
    },
    backend: {
      id: backend.id,
      label: backend.label,
      hint: backend.hint,
      summary: backend.summary,
      server: backend.server,
      environment: backend.environment,
      needsSettings: needsSettings(backend),
      section: asTyped(backend.section),
    },
    pm: { id: choice.packageManager, install, test, run, args, exec },
    nodePinned: choice.nodePinned,
  };
}
