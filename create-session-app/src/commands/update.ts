// `update`: brings a project to this version, and keeps what the user has made of it.
// Change it when a run gets another step; merge-messages.ts words what it reports.
import { resolve } from "node:path";
import { wrongUsage } from "../command-line/failure.ts";
import { readFiles } from "../disk/read.ts";
import { inspectTarget } from "../disk/target.ts";
import { writeChanges } from "../disk/write.ts";
import { GitHistory } from "../programs/git-history.ts";
import { releasesSince } from "../project/changelog.ts";
import { hasConflictMarkers } from "../project/conflicts.ts";
import { BESIDE } from "../project/merge.ts";
import { formatRecord } from "../project/next-record.ts";
import { type PendingUpdate, readRecord } from "../project/read-record.ts";
import { RECORD } from "../project/record.ts";
import { applyMerge, onlyLooks, recover } from "./apply-merge.ts";
import type { CommandInput } from "./command.ts";
import { installAndCheck } from "./install-and-check.ts";
import * as messages from "./merge-messages.ts";
import { mergeProject } from "./merge-project.ts";
import type { Project } from "./project.ts";
import { choiceOf, openProject, planFor } from "./project.ts";

export async function update(input: CommandInput): Promise<void> {
  const { flags, assets, report, signal } = input;
  const { version } = assets.catalog;
  const directory = resolve(flags.directory ?? ".");
  recover(directory, input);
  const project = openProject(directory, version);
  const { pending } = project.record;
  const history = await GitHistory.open(directory, signal);
  if (pending) return finish(project, pending, history, input);
  if (flags.continue) throw wrongUsage("No update is under way here, so there is nothing to continue.");

  const choice = choiceOf(project.record.answers, assets);
  const plan = await planFor(choice, assets);
  const baseDirectory = flags.base === undefined ? undefined : resolve(flags.base);
  const { restore } = flags;
  const merge = await mergeProject({ project, plan, version, history, baseDirectory, restore, report, signal });
  const releases = releasesSince(project.record.version, assets.changelog());
  const schemaChanges = releasesSince(project.record.version, choice.backend.readSchemaChanges());
  const outcome = {
    project,
    version,
    merge,
    releases,
    schemaChanges,
    backend: choice.backend.label,
    switched: undefined,
  };
  await applyMerge(outcome, choice, history, input);
}

/** The next run after one that left conflicts: it is done when none is left. */
async function finish(
  project: Project,
  pending: PendingUpdate,
  history: GitHistory | undefined,
  input: CommandInput,
): Promise<void> {
  const { assets, report, signal, flags } = input;
  const { directory } = project;
  const left = conflictsIn(directory, pending.conflicts);
  const name = messages.unfinished(project.record, pending);
  messages.underWay(report, name, pending.version, left);
  if (left.length > 0) throw messages.conflictsLeft(project, pending.version, left);
  if (onlyLooks(input)) return messages.canContinue(report, project, pending, flags.check);
  const content = Buffer.from(formatRecord(pending.record));
  const changes = new Map([[RECORD, { content, mode: 0o644 }]]);
  await writeChanges(changes, inspectTarget(directory, changes, true), signal);
  messages.finished(report, name);
  // After a switch, the answers are others than before.
  const choice = choiceOf(readRecord(content.toString()).answers, assets);
  const schemaChanges = releasesSince(project.record.version, choice.backend.readSchemaChanges());
  messages.schemaHasChanged(report, choice.backend.label, schemaChanges);
  await installAndCheck(choice, directory, input);
  messages.whatNext(report, choice, history !== undefined);
}

function conflictsIn(directory: string, paths: readonly string[]): messages.Conflict[] {
  const { files } = readFiles(
    directory,
    paths.flatMap((path) => [path, `${path}${BESIDE}`]),
  );
  return paths.flatMap((path) => {
    const content = files.get(path);
    if (files.has(`${path}${BESIDE}`)) return { path, beside: `${path}${BESIDE}` };
    return content !== undefined && hasConflictMarkers(content) ? { path } : [];
  });
}
