// Compares ranges of dependencies as people write them into a package.json.
// Change it when another way of writing them has to be understood.
import coerce from "semver/functions/coerce.js";
import lt from "semver/functions/lt.js";

/** Whether the range begins before the other one. True, too, for ranges that can't be compared ("file:../x", "latest"). */
export function isOlder(range: string, other: string): boolean {
  const [lowest, otherLowest] = [lowestVersion(range), lowestVersion(other)];
  return lowest === null || otherLowest === null || lt(lowest, otherLowest);
}

/** Whether a version is older than all that the range allows. False for ranges that can't be compared. */
export function isBelow(version: string, range: string): boolean {
  const [lowest, installed] = [lowestVersion(range), lowestVersion(version)];
  return lowest !== null && installed !== null && lt(installed, lowest);
}

/** What semver's own minVersion understands beyond this isn't worth its weight in the package. */
function lowestVersion(range: string) {
  return /^[\^~>=v\s]*\d/.test(range) ? coerce(range, { includePrerelease: true }) : null;
}

export interface Drift {
  name: string;
  /** The user's range; undefined: the dependency isn't there. */
  yours: string | undefined;
  /** The range that this version was tested with. */
  ours: string;
}

/** Dependencies of ours that the user's package.json lacks or has in an older version. */
export function dependencyDrift(yours: string, ours: string): Drift[] {
  const own = dependenciesOf(yours);
  return [...dependenciesOf(ours)]
    .map(([name, range]) => ({ name, yours: own.get(name), ours: range }))
    .filter((drift) => drift.yours === undefined || (drift.yours !== drift.ours && isOlder(drift.yours, drift.ours)));
}

/** Returns the range of each dependency by name, those for development included. */
export function dependenciesOf(manifest: string): Map<string, string> {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(manifest.replace(/^\ufeff/, ""));
  return new Map(Object.entries({ ...devDependencies, ...dependencies }));
}
