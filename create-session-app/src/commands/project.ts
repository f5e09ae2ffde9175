// What `update`, `switch` and `doctor` do alike at first: find the project, read its record, generate it as this version does.
// Change it when they all need to know more about a project.
import { resolve } from "node:path";
import gt from "semver/functions/gt.js";
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import { readFiles } from "../disk/read.ts";
import type { Assets } from "../packs/assets.ts";
import type { Pack } from "../packs/catalog.ts";
import type { Choice } from "../project/choice.ts";
import { PACKAGE_MANAGERS } from "../project/package-manager.ts";
import type { Plan } from "../project/plan.ts";
import { planProject } from "../project/plan.ts";
import { planAdded } from "../project/plan-added.ts";
import type { ProjectRecord, RecordedAnswers } from "../project/read-record.ts";
import { readRecord, UnreadableRecord } from "../project/read-record.ts";
import { RECORD } from "../project/record.ts";

export interface Project {
  directory: string;
  record: ProjectRecord;
  /** The record's text, as it is in the project. */
  recordText: string;
}

/** @param directory as it was given; undefined: the current one */
export function openProject(directory: string | undefined, version: string): Project {
  const path = resolve(directory ?? ".");
  const content = readFiles(path, [RECORD]).files.get(RECORD);
  if (content === undefined) {
    const remedy = `Give the directory of a project that has a ${RECORD}.`;
    throw new Failure(1, "NO_PROJECT", `${quoted(path)} holds no project that create-session-app has made. ${remedy}`);
  }
  const recordText = Buffer.from(content).toString("utf8");
  const record = recordOf(recordText);
  if (gt(record.version, version)) {
    const remedy = "Run a newer one: npm create session-app@latest";
    throw new Failure(1, "TOO_OLD", `The project was made by version ${record.version}, this is ${version}. ${remedy}`);
  }
  return { directory: path, record, recordText };
}

function recordOf(text: string): ProjectRecord {
  try {
    return readRecord(text);
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    throw new Failure(1, "RECORD", error.message, {}, error);
  }
}

/** The answers with the packs that they name. */
export function choiceOf(answers: RecordedAnswers, { catalog }: Assets): Choice {
  const packageManager = PACKAGE_MANAGERS.find((known) => known === answers.packageManager);
  if (packageManager === undefined) throw gone("package manager", answers.packageManager);
  return {
    ...answers,
    framework: packOf("framework", catalog.frameworks, answers.framework),
    backend: packOf("backend", catalog.backends, answers.backend),
    previous:
      answers.previousBackend === undefined
        ? undefined
        : packOf("previous backend", catalog.backends, answers.previousBackend),
    packageManager,
  };
}

export async function planFor(choice: Choice, assets: Assets): Promise<Plan> {
  const { catalog, read } = assets;
  const input = { catalog, read, render: await assets.loadRenderer() };
  return choice.added === undefined ? planProject(choice, input) : planAdded(choice, choice.added, input);
}

function packOf(kind: string, packs: readonly Pack[], id: string): Pack {
  const pack = packs.find((candidate) => candidate.id === id);
  if (pack === undefined) throw gone(kind, id);
  return pack;
}

function gone(kind: string, id: string): Failure {
  return new Failure(1, "NO_PACK", `The project's ${kind} is ${quoted(id)}, which this version doesn't have.`);
}
