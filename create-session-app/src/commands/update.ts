// `update`: brings a project to this version, and keeps what the user has made of it.
// Change it when a run gets another step; update-messages.ts words what it reports.
import { resolve } from "node:path";
import { wrongUsage } from "../command-line/failure.ts";
import { readFiles } from "../disk/read.ts";
import { isHalfDone, recoverTarget } from "../disk/recover.ts";
import { inspectTarget } from "../disk/target.ts";
import { writeChanges } from "../disk/write.ts";
import { GitHistory } from "../programs/git-history.ts";
import { releasesSince } from "../project/changelog.ts";
import { hasConflictMarkers } from "../project/conflicts.ts";
import { BESIDE } from "../project/merge.ts";
import type { PendingUpdate } from "../project/read-record.ts";
import { RECORD } from "../project/record.ts";
import type { CommandInput } from "./command.ts";
import { installAndCheck } from "./install-and-check.ts";
import type { ProjectMerge } from "./merge-project.ts";
import { mergeProject } from "./merge-project.ts";
import type { Project } from "./project.ts";
import { choiceOf, openProject, planFor } from "./project.ts";
import * as messages from "./update-messages.ts";

export async function update(input: CommandInput): Promise<void> {
  const { flags, assets, report, signal } = input;
  const { version } = assets.catalog;
  const onlyLooks = flags.check || flags.dryRun || flags.diff;
  const directory = resolve(flags.directory ?? ".");
  if (!onlyLooks) for (const sentence of recoverTarget(directory)) report.note(sentence);
  else if (isHalfDone(directory)) report.note(messages.HALF_DONE);

  const project = openProject(directory, version);
  const { pending } = project.record;
  if (pending) return finish(project, pending, onlyLooks, input);
  if (flags.continue) throw wrongUsage("No update is under way here, so there is nothing to continue.");

  const history = await GitHistory.open(directory, signal);
  const choice = choiceOf(project.record.answers, assets);
  const plan = await planFor(choice, assets);
  const baseDirectory = flags.base === undefined ? undefined : resolve(flags.base);
  const merge = await mergeProject({ project, plan, version, history, baseDirectory, restore: flags.restore, signal });
  const outcome = { project, version, merge, releases: releasesSince(project.record.version, assets.changelog()) };
  messages.decided(report, outcome);

  if (flags.diff) messages.difference(report, outcome);
  if (onlyLooks) return messages.preview(report, outcome, flags.check);
  if (merge.changes.size === 0) return messages.nothingToDo(report, outcome);
  if (!flags.force) await refuseUncommitted(merge, history);
  const target = inspectTarget(directory, merge.changes, true);
  await writeChanges(merge.changes, target, signal);
  messages.written(report, outcome, history !== undefined);
  if (merge.conflicts.length > 0)
    throw messages.conflictsLeft(
      merge.conflicts.map(({ path }) => path),
      version,
    );
  await installAndCheck(choice, project.directory, input);
}

/** A mistake is taken back by git, if git has what was there before. */
async function refuseUncommitted({ changes }: ProjectMerge, history: GitHistory | undefined): Promise<void> {
  const uncommitted = (await history?.uncommitted()) ?? [];
  const inTheWay = uncommitted.filter(({ path, untracked }) => !untracked || changes.has(path));
  if (inTheWay.length > 0) throw messages.notCommitted(inTheWay.map(({ path }) => path));
}

/** The next run after an update with conflicts: it is done when none is left. */
async function finish(
  project: Project,
  pending: PendingUpdate,
  onlyLooks: boolean,
  input: CommandInput,
): Promise<void> {
  const { assets, report, signal, flags } = input;
  const { directory } = project;
  const left = conflictsIn(directory, pending.conflicts);
  messages.underWay(report, pending.version, left);
  if (left.length > 0) throw messages.conflictsLeft(left, pending.version);
  if (onlyLooks) return messages.canContinue(report, pending.version, flags.check);
  const content = Buffer.from(`${JSON.stringify(pending.record, null, 2)}\n`);
  const changes = new Map([[RECORD, { content, mode: 0o644 }]]);
  await writeChanges(changes, inspectTarget(directory, changes, true), signal);
  messages.finished(report, pending.version);
  await installAndCheck(choiceOf(project.record.answers, assets), directory, input);
}

function conflictsIn(directory: string, paths: readonly string[]): string[] {
  const { files } = readFiles(
    directory,
    paths.flatMap((path) => [path, `${path}${BESIDE}`]),
  );
  return paths.filter((path) => {
    const content = files.get(path);
    return files.has(`${path}${BESIDE}`) || (content !== undefined && hasConflictMarkers(content));
  });
}
