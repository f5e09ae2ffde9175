// What --help and --list show.
// Change it to explain more; flags are described in arguments.ts, packs in their own package.json.
import type { Catalog, Pack } from "../packs/catalog.ts";
import type { Command } from "./arguments.ts";
import { COMMANDS, OPTIONS } from "./arguments.ts";

export function helpText(command: Command, catalog: Catalog): string {
  return command === "create" ? createHelp(catalog) : projectHelp(command);
}

function createHelp(catalog: Catalog): string {
  return [
    "Makes a web app with server-side sessions: your framework, your session store, code that you own.",
    "",
    "Usage: create-session-app [create] [directory] [options]",
    "       npm create session-app@latest [directory] -- [options]   (in PowerShell: '--')",
    "       pnpm, yarn or bun create session-app [directory] [options]",
    "",
    ...columns(optionsOf("create")),
    "",
    "Frameworks (-f):",
    ...columns(catalog.frameworks.map(choice)),
    "",
    "Backends (-b):",
    ...columns(catalog.backends.map(choice)),
    "",
    "Commands, in a project (COMMAND --help says more):",
    ...columns(Object.entries(COMMANDS).filter(([name]) => name !== "create")),
    "",
    "What isn't given is asked. Without a terminal, give everything, or --yes.",
    'A directory that has the name of a command is given as a path: "./update".',
    EXIT_CODES,
  ].join("\n");
}

/** For the commands that work on a project. */
function projectHelp(command: Command): string {
  const what = COMMANDS[command];
  return [
    `${what[0]?.toUpperCase()}${what.slice(1)}.`,
    "",
    `Usage: create-session-app ${command} [directory] [options]`,
    `       npm create session-app@latest ${command} [directory] -- [options]   (in PowerShell: '--')`,
    "",
    ...columns(optionsOf(command)),
    "",
    EXIT_CODES,
  ].join("\n");
}

const EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.";

function optionsOf(command: Command): [string, string][] {
  return Object.entries(OPTIONS)
    .filter(([, { commands = ["create"] }]) => commands.includes(command))
    .map(([name, { short, value, help }]) => [
      `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
      help,
    ]);
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
