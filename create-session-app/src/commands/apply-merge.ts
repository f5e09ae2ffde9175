// The end of `update` and `switch`: shows what a merge would do, or writes it and tries the project.
// Change it when a merged project gets another step.
import type { Changes } from "../disk/changes.ts";
import { isHalfDone, recoverTarget } from "../disk/recover.ts";
import { inspectTarget } from "../disk/target.ts";
import { writeChanges } from "../disk/write.ts";
import type { GitHistory } from "../programs/git-history.ts";
import type { Choice } from "../project/choice.ts";
import type { CommandInput } from "./command.ts";
import { installAndCheck } from "./install-and-check.ts";
import type { MergeOutcome } from "./merge-messages.ts";
import * as messages from "./merge-messages.ts";

/** Whether the flags ask to write nothing. */
export function onlyLooks({ flags }: CommandInput): boolean {
  return flags.check || flags.dryRun || flags.diff;
}

/** Takes back what a killed run has left half done, before anything of the project is read. */
export function recover(directory: string, input: CommandInput): void {
  if (onlyLooks(input)) {
    if (isHalfDone(directory)) input.report.note(messages.HALF_DONE);
  } else for (const sentence of recoverTarget(directory)) input.report.note(sentence);
}

export async function applyMerge(
  outcome: MergeOutcome,
  choice: Choice,
  history: GitHistory | undefined,
  input: CommandInput,
): Promise<void> {
  const { flags, report, signal } = input;
  const { merge, project, version } = outcome;
  messages.decided(report, outcome);
  if (flags.diff) messages.difference(report, outcome);
  if (onlyLooks(input)) return messages.preview(report, outcome, flags.check);
  if (merge.changes.size === 0) return messages.nothingToDo(report, outcome);
  if (!flags.force) await refuseUncommitted(merge.changes, history);
  const target = inspectTarget(project.directory, merge.changes, true);
  await writeChanges(merge.changes, target, signal);
  messages.written(report, outcome, history !== undefined);
  if (merge.conflicts.length > 0) {
    throw messages.conflictsLeft(project, version, merge.conflicts);
  }
  await installAndCheck(choice, project.directory, input);
  messages.whatNext(report, choice, history !== undefined);
}

/** A mistake is taken back by git, if git has what was there before. */
export async function refuseUncommitted(changes: Changes, history: GitHistory | undefined): Promise<void> {
  const uncommitted = (await history?.uncommitted()) ?? [];
  const inTheWay = uncommitted.filter(({ path, untracked }) => !untracked || changes.has(path));
  if (inTheWay.length > 0) throw messages.notCommitted(inTheWay.map(({ path }) => path));
}
