// Finds the conflicts that a merge has left in a project and that nobody has settled yet.
// Change it together with the markers that merge-lines.ts writes.
import { decodeText, splitLines } from "./lines.ts";
import type { Labels } from "./merge-lines.ts";

/** What our side of a conflict is called; the version follows. */
const OURS = "create-session-app";

export function labelsFor(version: string): Labels {
  return { yours: "yours", ours: `${OURS} ${version}` };
}

/** Whether a marker of ours is in the file. "=======" alone says nothing: it underlines headings in Markdown. */
export function hasConflictMarkers(content: Uint8Array): boolean {
  const lines = splitLines(decodeText(content) ?? "");
  return lines.some(({ text }) => text === "<<<<<<< yours" || text.startsWith(`>>>>>>> ${OURS} `));
}
