#!/usr/bin/env node
// create-session-app: which command runs, what ends it, and with which exit code.
// Change it when there is another command.
import { debuglog } from "node:util";
import { asksForJson, readArguments } from "./command-line/arguments.ts";
import { cancelled } from "./command-line/failure.ts";
import { helpText, listDocument, listText } from "./command-line/help.ts";
import { Report } from "./command-line/report.ts";
import { openTerminal } from "./command-line/terminal.ts";
import type { CommandInput } from "./commands/command.ts";
import { create } from "./commands/create.ts";
import { openAssets } from "./packs/assets.ts";

const argv = process.argv.slice(2);
const terminal = openTerminal(asksForJson(argv));
const report = new Report(terminal);

run()
  .catch((error: unknown) => {
    process.exitCode = report.fail(error);
    debuglog("create-session-app")("%o", error);
  })
  .finally(() => report.finish());

async function run(): Promise<void> {
  const flags = readArguments(argv, process.env);
  const assets = openAssets(import.meta.dirname);
  const { catalog } = assets;
  if (flags.help) print(helpText(flags.command, catalog), { help: helpText(flags.command, catalog) });
  else if (flags.version) print(catalog.version, { version: catalog.version });
  else if (flags.list) print(listText(catalog), listDocument(catalog));
  else await runCommand({ flags, assets, report, terminal, signal: cancelOnSignals() });
}

/** Loads the other commands only when they run: most runs make a project. */
async function runCommand(input: CommandInput): Promise<void> {
  switch (input.flags.command) {
    case "create":
      return create(input);
    case "add":
      return (await import("./commands/add.ts")).add(input);
    case "update":
      return (await import("./commands/update.ts")).update(input);
    case "switch":
      return (await import("./commands/switch.ts")).switchPack(input);
    case "doctor":
      return (await import("./commands/doctor.ts")).doctor(input);
  }
}

function print(text: string, document: Record<string, unknown>): void {
  report.say(text);
  report.set(document);
}

function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => controller.abort(cancelled()));
  return controller.signal;
}
