// Has an earlier version of create-session-app generate a project again, into a temporary directory.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withNpm } from "./registry.ts";

export interface Regenerated {
  files: Map<string, Uint8Array>;
  /** What went wrong, in the words of the program that failed; empty: nothing. */
  problem: string;
}

/**
 * Needs the registry, unless npm has the version in its cache. Rejects only when it is cancelled.
 * @param how the flags that make the project, as this version knows them; or, for sessions that were added to an app, a record that
 *   names no file yet, from which `update` makes them all
 */
export function regenerate(
  version: string,
  how: { flags: readonly string[] } | { record: { path: string; text: string } },
  signal: AbortSignal,
): Promise<Regenerated> {
  const directoryIn = (folder: string) => join(folder, "project");
  const command = ["exec", "--yes", `--package=create-session-app@${version}`, "--", "create-session-app"];
  return withNpm<Regenerated>(
    (folder) => {
      const directory = directoryIn(folder);
      if ("flags" in how) return [...command, directory, ...how.flags];
      mkdirSync(directory);
      writeFileSync(join(directory, how.record.path), how.record.text);
      return [...command, "update", directory, "--no-install"];
    },
    (folder, { ok, output }) =>
      ok ? { files: filesBelow(directoryIn(folder)), problem: "" } : { files: new Map(), problem: output },
    signal,
  );
}

function filesBelow(directory: string): Map<string, Uint8Array> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => statSync(join(directory, path)).isFile());
  return new Map(files.map((path) => [path.replaceAll("\\", "/"), readFileSync(join(directory, path))]));
}
