// What `create` reports: its sentences, and its part of the JSON document.
// Change it to word a message otherwise.
import type { Answers } from "../choices/answers.ts";
import { cancelled, Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { quoted } from "../command-line/wording.ts";
import type { Repository } from "../programs/git.ts";
import type { Choice } from "../project/choice.ts";
import type { Progress } from "../project/next-steps.ts";
import { FETCH_NODE, nextSteps, pageToOpen } from "../project/next-steps.ts";
import { NEEDED_NODE } from "../project/node-version.ts";
import { commands } from "../project/package-manager.ts";
import type { Plan } from "../project/plan.ts";
import type { Needs, Workspace } from "../project/workspace.ts";

/** What is decided before anything is written. */
export interface Creation {
  answers: Answers;
  choice: Choice;
  directory: string;
  plan: Plan;
  /** The workspace that the project is a member of. */
  workspace: Workspace | undefined;
  /** The settings that its root lacks. */
  needs: Needs[];
  /** The version of Node that is too old for the project, when it is. */
  oldNode: string | undefined;
}

export const HALF_DONE = "An earlier run was killed half way; the next one that writes undoes it first.";

const NOTHING_INSTALLED: Progress = { installed: false, lacksNode: false };

export function decided(report: Report, creation: Creation, { version, dryRun }: { version: string; dryRun: boolean }) {
  const { answers, choice, directory, plan } = creation;
  report.set({
    version,
    dryRun,
    answers: {
      directory: answers.directory,
      name: answers.name,
      framework: answers.framework.id,
      backend: answers.backend.id,
      packageManager: answers.packageManager,
      minimal: answers.minimal,
      install: answers.install,
      git: answers.git,
      nodePinned: choice.nodePinned,
      workspaceMember: choice.workspaceMember,
    },
    target: directory,
    files: [...plan.keys()],
  });
}

export function preview(report: Report, creation: Creation): void {
  const { directory, plan, choice } = creation;
  report.say(`${what(choice)} would be written to ${quoted(directory)}:`);
  for (const [path, { content }] of plan) report.say(`  ${path} ${report.paint("dim", size(content.length))}`);
  report.say(`${plan.size} files. Nothing was written.`);
  report.set({ next: nextSteps(choice, directory, NOTHING_INSTALLED), url: pageToOpen(choice) });
}

export function written(report: Report, { choice, plan, workspace, needs }: Creation, replaced: string[]): void {
  report.set({ replaced });
  const more = replaced.length === 0 ? "" : `, ${replaced.length} of them replaced`;
  report.succeed(`Made ${quoted(choice.name)}: ${what(choice)}, ${plan.size} files${more}.`);
  if (workspace === undefined) return;
  report.note(`The project is a member of the workspace in ${quoted(workspace.root)}.`);
  for (const { file, lines } of needs) {
    report.note(`The workspace needs these lines in its ${file}:\n${indented(lines)}`);
  }
}

/** Why nothing is installed, where the Node here is too old. */
export function notInstalled(report: Report, { choice, oldNode }: Creation): void {
  if (oldNode === undefined) return;
  const { install } = commands[choice.packageManager];
  const remedy = choice.nodePinned
    ? `a current Node is among its dev dependencies, and ${install} brings it where install scripts may run.`
    : "yarn can't bring one along, so nothing was installed. Install a newer Node first, or use npm (--pm npm).";
  report.note(`${tooOld(oldNode)}: ${remedy}`);
}

export function installed(report: Report, { choice }: Creation, milliseconds: number): void {
  report.set({ installed: true });
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  report.succeed(`Installed with ${choice.packageManager} in ${seconds} s.`);
}

/** @param version of the pinned Node; undefined: it was not installed */
export function pinnedNode(report: Report, { choice, oldNode = "" }: Creation, version: string | undefined): void {
  if (version !== undefined) {
    report.note(`${tooOld(oldNode)}: it has brought its own, ${version}, and its scripts use that.`);
    return;
  }
  const remedy =
    choice.packageManager === "npm"
      ? `Install a newer Node, or let that script run: ${FETCH_NODE}`
      : "Install a newer Node before you go on.";
  report.note(
    `${tooOld(oldNode)}. The one among its dev dependencies was not installed, as its install script has not run (is ignore-scripts set?). ${remedy}`,
  );
}

export function repository(report: Report, { state, output }: Repository): void {
  report.set({ git: state });
  if (state === "committed") report.succeed("Made a git repository with a first commit.");
  if (state === "initialised" || state === "anonymous") report.succeed("Made a git repository.");
  if (state === "initialised" && output !== "") report.note(`git would not commit: ${output}`);
  if (state === "anonymous") report.note("Nothing was committed: git doesn't know your user.name and user.email.");
  if (state === "inside") report.note("The directory belongs to a git repository already, so none was made.");
  if (state === "foreign") {
    report.note(`The directory lies in a git repository of another user, so none was made: ${output}`);
  }
  if (state === "missing") report.note("There is no git here, so no repository was made.");
  if (state === "failed") report.note(`git would not make a repository: ${output}`);
}

export function installFailed(report: Report, { choice, directory, oldNode }: Creation, output: string): Failure {
  report.quote(output);
  const steps = nextSteps(choice, directory, NOTHING_INSTALLED);
  report.set({ installed: false, next: steps });
  const { install } = commands[choice.packageManager];
  const why = oldNode === undefined ? "" : ` ${tooOld(oldNode)}, which a strict check of engines refuses.`;
  const message = `${install} failed (its output is above).${why} The project is in ${quoted(directory)}; when the cause is gone, go on with:`;
  return new Failure(1, "INSTALL", `${message}\n${indented(steps)}`, { output });
}

export function cancelledAfterWriting(report: Report, { choice, directory }: Creation, progress: Progress): Failure {
  const steps = nextSteps(choice, directory, progress);
  report.set({ next: steps });
  const lack = progress.installed ? "" : "; its dependencies are not installed";
  const { exitCode, code, message } = cancelled();
  const rest = `The project is in ${quoted(directory)}${lack}. Go on with:\n${indented(steps)}`;
  return new Failure(exitCode, code, `${message} ${rest}`);
}

/** The last lines of a run that succeeded. */
export function finished(report: Report, { choice, directory }: Creation, progress: Progress): void {
  const steps = nextSteps(choice, directory, progress);
  report.set({ next: steps, url: pageToOpen(choice) });
  report.say(`\nNext:\n\n${indented(steps.map((step) => report.paint("cyan", step)))}\n`);
  const { server } = choice.backend;
  if (server !== null) {
    report.say(`It needs ${server.name}, which ${quoted(server.start)} starts. If one runs already, leave`);
    report.say("that line out, and set its address in .env.\n");
  }
  report.say(`Then open ${pageToOpen(choice)}`);
}

function tooOld(oldNode: string): string {
  return `The project needs Node ${NEEDED_NODE} or newer, and this is ${oldNode}`;
}

function what({ framework, backend, minimal }: Choice): string {
  return `${framework.label} with ${backend.label}${minimal ? ", without the example" : ""}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

function size(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}
