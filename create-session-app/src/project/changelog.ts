// What a changelog says about the versions that a project has missed: CHANGELOG.md, or a backend's SCHEMA-CHANGES.md.
// Change it when these files get another form.
import gt from "semver/functions/gt.js";

/** One version's heading, without the marks, and the text below it. */
export interface Release {
  version: string;
  text: string;
}

const HEADING = /^## \[?v?(\d+\.\d+\.\d+[\w.+-]*)\]?.*$/gm;

/** The newest first, as they stand in the file. */
export function releasesSince(version: string, changelog: string): Release[] {
  const headings = [...changelog.replaceAll("\r\n", "\n").matchAll(HEADING)];
  return headings
    .map((heading, index) => {
      const start = heading.index + heading[0].length;
      const end = headings[index + 1]?.index ?? changelog.length;
      return { version: heading[1] as string, text: changelog.slice(start, end).trim() };
    })
    .filter((release) => gt(release.version, version));
}
