// What --help and --list show.
// Change it to explain more; flags are described in arguments.ts, packs in their own package.json.
import type { Catalog, Pack } from "../packs/catalog.ts";
import { OPTIONS } from "./arguments.ts";

export function helpText(catalog: Catalog): string {
  const options = Object.entries(OPTIONS).map(([name, { short, value, help }]): [string, string] => [
    `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
    help,
  ]);
  return [
    "Makes a web app with server-side sessions: your framework, your session store, code that you own.",
    "",
    "Usage: create-session-app [create] [directory] [options]",
    "       npm create session-app@latest [directory] -- [options]   (in PowerShell: '--')",
    "       pnpm, yarn or bun create session-app [directory] [options]",
    "",
    ...columns(options),
    "",
    "Frameworks (-f):",
    ...columns(catalog.frameworks.map(choice)),
    "",
    "Backends (-b):",
    ...columns(catalog.backends.map(choice)),
    "",
    "What isn't given is asked. Without a terminal, give everything, or --yes.",
    'The words add, update, switch and doctor are kept for commands to come; a directory of such a name is "./update".',
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.",
  ].join("\n");
}

export function listText(catalog: Catalog): string {
  const group = (title: string, packs: readonly Pack[]) => [
    `${title}:`,
    ...columns(packs.map((pack) => [pack.id, `${pack.hint}${versions(pack)}`])),
  ];
  return [...group("Frameworks", catalog.frameworks), "", ...group("Backends", catalog.backends)].join("\n");
}

export function listDocument(catalog: Catalog): Record<string, unknown> {
  const describe = (pack: Pack) => ({
    id: pack.id,
    label: pack.label,
    hint: pack.hint,
    default: pack.isDefault,
    needs: pack.server?.name ?? null,
    dependencies: pack.manifest.dependencies ?? {},
    devDependencies: pack.manifest.devDependencies ?? {},
  });
  return {
    version: catalog.version,
    frameworks: catalog.frameworks.map(describe),
    backends: catalog.backends.map(describe),
  };
}

function choice(pack: Pack): [string, string] {
  return [pack.id, `${pack.hint}${pack.isDefault ? " (default)" : ""}`];
}

function versions(pack: Pack): string {
  const dependencies = Object.entries((pack.manifest.dependencies ?? {}) as Record<string, string>);
  return dependencies.map(([name, range]) => `\n${name} ${range}`).join("");
}

/** Two columns. A narrow terminal wraps the second one; a line break in it is indented. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length)) + 2;
  return rows.map(
    ([first, second]) => `  ${first.padEnd(width)}${second.replaceAll("\n", `\n${" ".repeat(width + 4)}`)}`,
  );
}
