// A program for the tests of the writer: applies changes to a directory, some of which remove files, as no command does yet.
// apply-changes.ts DIRECTORY '{ "path": "new text", "other": null }' (null: the file is removed); without changes it only recovers.
import { Failure } from "../../create-session-app/src/command-line/failure.ts";
import type { NewFile } from "../../create-session-app/src/disk/changes.ts";
import { recoverTarget } from "../../create-session-app/src/disk/recover.ts";
import { inspectTarget } from "../../create-session-app/src/disk/target.ts";
import { writeChanges } from "../../create-session-app/src/disk/write.ts";

const [directory = "", json] = process.argv.slice(2);
const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => controller.abort());

for (const sentence of recoverTarget(directory)) console.error(sentence);
if (json !== undefined) {
  const changes = new Map<string, NewFile | "remove">();
  for (const [path, text] of Object.entries<string | null>(JSON.parse(json))) {
    changes.set(path, text === null ? "remove" : { content: Buffer.from(text), mode: 0o644 });
  }
  try {
    await writeChanges(changes, inspectTarget(directory, changes, true), controller.signal);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = controller.signal.aborted ? 130 : error instanceof Failure ? error.exitCode : 99;
  }
}
