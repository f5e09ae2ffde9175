// The record of what was generated (.session-app.json), from which a later version can tell the user's changes from its own.
// Change FORMAT when it can no longer be read as before.
import { createHash } from "node:crypto";
import type { Choice } from "./choice.ts";

export const RECORD = ".session-app.json";

const FORMAT = 1;

export interface RecordedFile {
  /** The pack that supplied it ("backends/sqlite"); "project" for what is made of several. */
  pack: string;
  /** The id that git gives to a file with this content. */
  blob: string;
}

/** @param shared by path, our part of files that are the app's own: no repository has such a text as a file */
export function recordText(
  choice: Choice,
  version: string,
  files: Record<string, RecordedFile>,
  shared?: Record<string, string>,
): string {
  const { name, framework, backend, packageManager, minimal, nodePinned, workspaceMember, added } = choice;
  const answers = {
    name,
    framework: framework.id,
    backend: backend.id,
    packageManager,
    minimal,
    nodePinned,
    workspaceMember,
    added,
  };
  return `${JSON.stringify({ format: FORMAT, version, answers, files, shared }, null, 2)}\n`;
}

/** Git's own id, so that `git cat-file blob ID` finds the generated text in the user's repository. */
export function blobId(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}
