#!/usr/bin/env node
// create-session-app from the command line to the last line it prints: arguments, questions, plan, write, install, next steps.
// Change it when a run gets another step; each step is a file of its own.
import { resolve } from "node:path";
import { debuglog } from "node:util";
import type { Answers } from "./answers.ts";
import { settle } from "./answers.ts";
import { asksForJson, readArguments } from "./arguments.ts";
import type { Assets } from "./assets.ts";
import { openAssets } from "./assets.ts";
import { cancelled } from "./failure.ts";
import { helpText, listDocument, listText } from "./help.ts";
import { canPinNode, tooOldNode } from "./package-manager.ts";
import type { Plan } from "./plan.ts";
import { planProject } from "./plan.ts";
import { isHalfDone, recoverTarget } from "./recover.ts";
import { Report } from "./report.ts";
import { inspectTarget } from "./target.ts";
import { openTerminal } from "./terminal.ts";
import { writeProject } from "./write.ts";

const argv = process.argv.slice(2);
const userAgent = process.env.npm_config_user_agent;
const terminal = openTerminal(asksForJson(argv));
const report = new Report(terminal);

run()
  .catch((error: unknown) => {
    process.exitCode = report.fail(error);
    debuglog("create-session-app")("%o", error);
  })
  .finally(() => {
    report.finish();
    // All is written by now. Leaving like this spares taking Node down piece by piece: 3 ms.
    process.exit();
  });

async function run(): Promise<void> {
  const assets = openAssets();
  const { catalog } = assets;
  const flags = readArguments(argv);
  if (flags.help) return report.print(helpText(catalog), { help: helpText(catalog) });
  if (flags.version) return report.print(catalog.version, { version: catalog.version });
  if (flags.list) return report.print(listText(catalog), listDocument(catalog));

  const signal = cancelOnSignals();
  const answers = await settle(flags, catalog, terminal, userAgent, signal);
  const directory = resolve(answers.directory);
  const oldNode = tooOldNode(process.versions.node, userAgent);
  const nodePinned = oldNode !== undefined && canPinNode(answers.packageManager);
  const plan = await planFor(answers, assets, nodePinned);
  report.decided({ answers, directory, plan, version: catalog.version, dryRun: flags.dryRun, oldNode, nodePinned });

  if (flags.dryRun) {
    if (isHalfDone(directory))
      report.note("An earlier run was killed half way; the next one that writes undoes it first.");
    inspectTarget(directory, plan, flags.overwrite);
    return report.preview();
  }
  for (const sentence of recoverTarget(directory)) report.note(sentence);
  const target = inspectTarget(directory, plan, flags.overwrite);
  await writeProject(plan, target, signal);
  report.written(target);

  const nodeServes = oldNode === undefined || nodePinned;
  const installed = answers.install && nodeServes && (await install(answers, directory, signal));
  if (answers.git) await makeRepository(directory, target.kind === "new" || target.empty, signal);
  report.nextSteps(installed);
}

async function planFor(answers: Answers, assets: Assets, nodePinned: boolean): Promise<Plan> {
  const { catalog, read } = assets;
  const { name, framework, backend, packageManager } = answers;
  const render = await assets.loadRenderer();
  return planProject({ name, framework, backend, packageManager, nodePinned }, { catalog, read, render });
}

/** Loaded only when something is installed, like the repository's part below: both start other programs. */
async function install(answers: Answers, directory: string, signal: AbortSignal): Promise<boolean> {
  const { installDependencies } = await import("./install.ts");
  const end = terminal.progress(`Installing with ${answers.packageManager}`);
  const started = Date.now();
  const outcome = await installDependencies(answers.packageManager, directory, signal).finally(end);
  report.installed(outcome, Date.now() - started);
  return outcome.ok;
}

async function makeRepository(directory: string, everythingIsOurs: boolean, signal: AbortSignal): Promise<void> {
  const { initialiseRepository } = await import("./repository.ts");
  report.repository(await initialiseRepository(directory, everythingIsOurs, signal));
}

function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => controller.abort(cancelled()));
  return controller.signal;
}
