// `create`: makes a project, from the flags to the commands that are typed next.
// Change it when a run gets another step; create-messages.ts words what it reports.
import { resolve } from "node:path";
import { settle } from "../choices/settle.ts";
import { Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { isHalfDone, recoverTarget } from "../disk/recover.ts";
import { inspectTarget } from "../disk/target.ts";
import { writeChanges } from "../disk/write.ts";
import type { Assets } from "../packs/assets.ts";
import type { Choice } from "../project/choice.ts";
import type { Progress } from "../project/next-steps.ts";
import { canPinNode, isTooOld, tooOldNode } from "../project/node-version.ts";
import { commands } from "../project/package-manager.ts";
import type { Plan } from "../project/plan.ts";
import { installScriptsOf, planProject } from "../project/plan.ts";
import { findWorkspace, rootNeeds } from "../project/workspace.ts";
import type { CommandInput } from "./command.ts";
import type { Creation } from "./create-messages.ts";
import * as messages from "./create-messages.ts";

export async function create({ flags, assets, report, terminal, signal }: CommandInput): Promise<void> {
  const { catalog } = assets;
  const userAgent = process.env.npm_config_user_agent;
  requireCurrentDirectory();
  const answers = await settle(flags, { catalog, terminal, userAgent, signal });
  const directory = resolve(answers.directory);
  const workspace = findWorkspace(directory, answers.packageManager);
  const oldNode = tooOldNode(process.versions.node, userAgent);
  const nodePinned = oldNode !== undefined && canPinNode(answers.packageManager);
  const choice: Choice = { ...answers, nodePinned, workspaceMember: workspace !== undefined };
  const plan = await planFor(choice, assets);
  const needs = workspace === undefined ? [] : rootNeeds(workspace, installScriptsOf(choice, catalog));
  const creation: Creation = { answers, choice, directory, plan, workspace, needs, oldNode };
  messages.decided(report, creation, { version: catalog.version, dryRun: flags.dryRun });

  if (flags.dryRun) {
    if (isHalfDone(directory)) report.note(messages.HALF_DONE);
    inspectTarget(directory, plan, flags.overwrite);
    return messages.preview(report, creation);
  }
  for (const sentence of recoverTarget(directory)) report.note(sentence);
  const target = inspectTarget(directory, plan, flags.overwrite);
  await writeChanges(plan, target, signal);
  messages.written(report, creation, target.kind === "existing" ? target.replaced : []);

  const progress: Progress = { installed: false, lacksNode: false };
  try {
    if (answers.install && (oldNode === undefined || nodePinned)) await install(creation, progress, report, signal);
    else messages.notInstalled(report, creation);
    if (answers.git) await makeRepository(directory, target.kind === "new" || target.empty, report, signal);
  } catch (error) {
    if (error instanceof Failure && error.exitCode === 130)
      throw messages.cancelledAfterWriting(report, creation, progress);
    throw error;
  }
  messages.finished(report, creation, progress);
}

async function planFor(choice: Choice, assets: Assets): Promise<Plan> {
  const { catalog, read } = assets;
  return planProject(choice, { catalog, read, render: await assets.loadRenderer() });
}

/** Loads the code that starts other programs, as makeRepository does, only when it is needed. */
async function install(creation: Creation, progress: Progress, report: Report, signal: AbortSignal): Promise<void> {
  const { packageManager, nodePinned } = creation.choice;
  const { installDependencies } = await import("../programs/install.ts");
  const end = report.progress(`Installing with ${packageManager}`);
  const started = Date.now();
  const { install } = commands[packageManager];
  const outcome = await installDependencies(install, creation.directory, signal).finally(end);
  if (!outcome.ok) throw messages.installFailed(report, creation, outcome.output);
  progress.installed = true;
  messages.installed(report, creation, Date.now() - started);
  if (!nodePinned) return;
  const { nodeOfScripts } = await import("../programs/node.ts");
  const version = await nodeOfScripts(creation.directory, signal);
  progress.lacksNode = version === undefined || isTooOld(version);
  messages.pinnedNode(report, creation, progress.lacksNode ? undefined : version);
}

async function makeRepository(
  directory: string,
  everythingIsOurs: boolean,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { initialiseRepository } = await import("../programs/git.ts");
  messages.repository(report, await initialiseRepository(directory, everythingIsOurs, signal));
}

/** A shell may stand in a directory that another program has removed. */
function requireCurrentDirectory(): void {
  try {
    process.cwd();
  } catch (cause) {
    const message = "The current directory no longer exists. Change to another one, and run this again there.";
    throw new Failure(1, "TARGET", message, {}, cause);
  }
}
