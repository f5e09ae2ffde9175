// `switch`: gives a project another backend or framework, by the merge that `update` does, between two answers.
// Change it when another answer can be switched.
import { resolve } from "node:path";
import { Failure, wrongUsage } from "../command-line/failure.ts";
import { choose } from "../command-line/wording.ts";
import type { Catalog, Pack } from "../packs/catalog.ts";
import { GitHistory } from "../programs/git-history.ts";
import { initializerCommand } from "../project/package-manager.ts";
import type { RecordedAnswers } from "../project/read-record.ts";
import { applyMerge, recover } from "./apply-merge.ts";
import type { CommandInput } from "./command.ts";
import { switchedTo, unfinished } from "./merge-messages.ts";
import { mergeProject } from "./merge-project.ts";
import { choiceOf, openProject, planFor } from "./project.ts";

export async function switchPack(input: CommandInput): Promise<void> {
  const { flags, assets, report, signal } = input;
  const { version } = assets.catalog;
  const directory = resolve(flags.directory ?? ".");
  if (flags.framework === undefined && flags.backend === undefined) {
    throw wrongUsage("Give what to switch to: --backend ID, --framework ID, or both.", {
      flags: ["--backend", "--framework"],
    });
  }
  recover(directory, input);
  const project = openProject(directory, version);
  const { record } = project;
  const { packageManager } = record.answers;
  if (record.pending) {
    const next = initializerCommand(packageManager, "latest", "update", "--continue");
    const message = `The ${unfinished(record, record.pending)} left conflicts. Settle them first, then: ${next}`;
    throw new Failure(1, "PENDING", message, { paths: record.pending.conflicts });
  }
  if (record.version !== version) {
    const next = initializerCommand(packageManager, "latest", "update");
    throw new Failure(
      1,
      "OUTDATED",
      `The project was made by version ${record.version}, this is ${version}. First: ${next}`,
    );
  }

  if (record.answers.added && flags.framework !== undefined) {
    throw wrongUsage("The app's framework is the app's own: only --backend can be switched where sessions were added.");
  }
  if (record.answers.added && flags.keepStore) {
    throw wrongUsage(
      "--keep-store works in generated projects only. Where sessions were added to an app, switch without it: users then have to sign in again.",
    );
  }
  const answers = otherAnswers(record.answers, input);
  checkKept(answers, input);
  const choice = choiceOf(answers, assets);
  const history = await GitHistory.open(directory, signal);
  const recorded = choiceOf(record.answers, assets);
  const recordedPlan = await planFor(recorded, assets);
  const plan = await planFor(choice, assets);
  const baseDirectory = flags.base === undefined ? undefined : resolve(flags.base);
  const merge = await mergeProject({
    project,
    recordedPlan,
    plan,
    version,
    history,
    baseDirectory,
    restore: [],
    report,
    signal,
  });
  const switched = switchedTo(choice, recorded);
  const outcome = { project, version, merge, releases: [], schemaChanges: [], backend: choice.backend.label, switched };
  await applyMerge(outcome, choice, history, input);
}

function otherAnswers(answers: RecordedAnswers, { flags, assets }: CommandInput): RecordedAnswers {
  const { frameworks, backends }: Catalog = assets.catalog;
  const ids = (packs: readonly Pack[]) => packs.map(({ id }) => id);
  const framework =
    flags.framework === undefined ? answers.framework : choose("framework", flags.framework, ids(frameworks));
  const backend = flags.backend === undefined ? answers.backend : choose("backend", flags.backend, ids(backends));
  // Without --keep-store, a switch to another backend, or once more to the same, ends a move.
  const previousBackend =
    flags.backend === undefined ? answers.previousBackend : flags.keepStore ? keptBy(answers, backend) : undefined;
  return { ...answers, framework, backend, previousBackend };
}

function keptBy(answers: RecordedAnswers, backend: string): string | undefined {
  return backend === answers.backend ? answers.previousBackend : answers.backend;
}

/** Refuses --keep-store where there is nothing to keep, or nothing that another process could read. */
function checkKept({ backend, previousBackend }: RecordedAnswers, { flags, assets }: CommandInput): void {
  if (!flags.keepStore) return;
  if (flags.backend === undefined) {
    throw wrongUsage("--keep-store goes with --backend ID, the store that comes in its place.", {
      flags: ["--backend"],
    });
  }
  if (previousBackend === undefined) {
    const message = `The project has ${backend} already. Switch back to the store that holds the sessions, then once more with --keep-store.`;
    throw wrongUsage(message, { flags: ["--backend"] });
  }
  const inProcess = assets.catalog.backends.find(
    ({ id, inProcess }) => inProcess && (id === backend || id === previousBackend),
  );
  if (inProcess)
    throw wrongUsage(`The sessions of ${inProcess.label} live in the app's process: they can't be copied.`, {});
}
