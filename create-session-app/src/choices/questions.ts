// Asks what is still open, one question after another, through `prompts`.
// Change it to word a question otherwise.
import type { Readable } from "node:stream";
import type { PromptObject } from "prompts";
import prompts from "prompts";
import { cancelled } from "../command-line/failure.ts";
import { sentence } from "../command-line/wording.ts";
import type { Catalog, Pack } from "../packs/catalog.ts";
import type { PackageManager } from "../project/package-manager.ts";
import { commands } from "../project/package-manager.ts";
import type { OpenAnswers } from "./answers.ts";
import { DEFAULT_DIRECTORY, defaultOf, idsOf, needsName } from "./answers.ts";
import { Keys } from "./keys.ts";
import { directoryProblem, nameProblem } from "./project-name.ts";

/** Rejects when a question is cancelled, or `signal` is aborted meanwhile. */
export async function askOpen(
  open: OpenAnswers,
  catalog: Catalog,
  manager: PackageManager,
  signal: AbortSignal,
): Promise<OpenAnswers> {
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
  });
  const keys = new Keys();
  try {
    return await Promise.race([askAll(open, catalog, manager, keys), aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
    keys.close();
    // A question that a signal has interrupted leaves the cursor at its end.
    if (signal.aborted) process.stdout.write("\n");
  }
}

async function askAll(open: OpenAnswers, catalog: Catalog, manager: PackageManager, keys: Keys): Promise<OpenAnswers> {
  const answers: OpenAnswers = { ...open };
  const pick = (message: string, packs: readonly Pack[]) =>
    ask<string>(keys, {
      type: "select",
      message,
      hint: "arrows, then Enter",
      initial: Math.max(idsOf(packs).indexOf(defaultOf(packs) ?? ""), 0),
      choices: packs.map(({ id, label, hint }) => ({ title: label, value: id, description: hint })),
    });
  const confirm = (message: string) => ask<boolean>(keys, { type: "confirm", message, initial: true });

  answers.directory ??= await ask<string>(keys, {
    type: "text",
    message: "Directory",
    initial: DEFAULT_DIRECTORY,
    format: (typed: string) => typed.trim() || DEFAULT_DIRECTORY,
    validate: (typed: string) => verdict(directoryProblem(typed.trim() || DEFAULT_DIRECTORY)),
  });
  if (needsName(answers)) {
    answers.name = await ask<string>(keys, {
      type: "text",
      message: "Package name",
      initial: DEFAULT_DIRECTORY,
      validate: (typed: string) => verdict(nameProblem(typed || DEFAULT_DIRECTORY)),
    });
  }
  answers.framework ??= await pick("Framework", catalog.frameworks);
  answers.backend ??= await pick("Session backend", catalog.backends);
  answers.install ??= await confirm(`Run ${commands[manager].install} now?`);
  answers.git ??= await confirm("Make a git repository?");
  return answers;
}

/** Ctrl-C, Ctrl-D and Esc all cancel: `prompts` then leaves the answer out. */
async function ask<Answer>(keys: Keys, question: Omit<PromptObject<"answer">, "name">): Promise<Answer> {
  // `prompts` needs no more of its input than Keys has.
  const stdin = keys as unknown as Readable;
  const { answer } = await prompts({ ...question, name: "answer", stdin });
  if (answer === undefined) throw cancelled();
  return answer as Answer;
}

/** `prompts` wants true, or the message to show. */
function verdict(problem: string | undefined): true | string {
  return problem === undefined ? true : sentence(problem);
}
