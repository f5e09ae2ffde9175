// Adds our settings to an app's own .env.example, behind what is there.
// Change it when variables are written another way; merge-environment.ts reads them in later versions.
import { variableOf } from "./merge-environment.ts";

/** A variable that the app has already, commented out or not, stays as it is there. */
export function appendEnvironment(yours: string, ours: string): string {
  const known = new Set(yours.split(/\r?\n/).map(variableOf));
  known.delete(undefined);
  const [, ...sections] = ours.split("\n\n");
  const lines: string[] = [];
  for (const line of sections.join("\n\n").split("\n")) {
    const name = variableOf(line);
    if (name === undefined || !known.has(name)) lines.push(line);
    // Its comments go with it.
    else while (lines.at(-1)?.startsWith("#") && variableOf(lines.at(-1) ?? "") === undefined) lines.pop();
  }
  const end = yours.includes("\r\n") ? "\r\n" : "\n";
  const gap = yours === "" ? "" : yours.endsWith("\n") ? end : end + end;
  return yours + gap + lines.join(end);
}
