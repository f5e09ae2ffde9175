// Makes one package.json of several: merged as data, and two packs that disagree are an error.
// Change it when a project's package.json needs another key or another order.
import type { Layer, Manifest } from "../packs/catalog.ts";

/** Keys that describe the pack itself: they don't go into a project. */
const IDENTITY = new Set([
  "name",
  "version",
  "private",
  "type",
  "license",
  "description",
  "sessionApp",
  "exports",
  "files",
]);

const ORDER = [
  "name",
  "version",
  "private",
  "type",
  "engines",
  "imports",
  "scripts",
  "dependencies",
  "devDependencies",
];

/** In these, the order of keys says nothing, so they are sorted. */
const SORTED = new Set([
  "dependencies",
  "devDependencies",
  "optionalDependencies",
  "overrides",
  "allowScripts",
  "engines",
]);

export function mergeManifests(name: string, layers: readonly Layer[]): Manifest {
  const merged: Manifest = { name, version: "0.0.0", private: true, type: "module" };
  const origins = new Map<string, string>();
  for (const { origin, manifest } of layers) {
    for (const [key, value] of Object.entries(manifest)) {
      if (!IDENTITY.has(key)) mergeKey(merged, key, value, origin, [key], origins);
    }
  }
  refuseTwice(merged);
  return merged;
}

/** package.json's text: the usual keys first, dependencies sorted the same way on every machine. */
export function formatManifest(manifest: Manifest): string {
  const keys = [
    ...ORDER.filter((key) => key in manifest),
    ...Object.keys(manifest)
      .filter((key) => !ORDER.includes(key))
      .sort(),
  ];
  const ordered: Manifest = {};
  for (const key of keys) {
    const value = manifest[key];
    if (isRecord(value) && Object.keys(value).length === 0) continue;
    ordered[key] = SORTED.has(key) && isRecord(value) ? sorted(value) : value;
  }
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

function mergeKey(
  into: Manifest,
  key: string,
  value: unknown,
  origin: string,
  path: readonly string[],
  origins: Map<string, string>,
): void {
  const there = Object.hasOwn(into, key) ? into[key] : undefined;
  const place = path.join(" > ");
  if (isRecord(value) && (there === undefined || isRecord(there))) {
    const inner: Manifest = there ?? {};
    define(into, key, inner);
    for (const [innerKey, innerValue] of Object.entries(value)) {
      mergeKey(inner, innerKey, innerValue, origin, [...path, innerKey], origins);
    }
    return;
  }
  if (there !== undefined && JSON.stringify(there) !== JSON.stringify(value)) {
    const before = origins.get(place) ?? "another pack";
    throw new Error(
      `package.json: ${place} is ${JSON.stringify(there)} in ${before} and ${JSON.stringify(value)} in ${origin}.`,
    );
  }
  define(into, key, value);
  origins.set(place, origin);
}

/** npm would take one of the two and drop the other without a word. */
function refuseTwice(manifest: Manifest): void {
  const needed = isRecord(manifest.dependencies) ? manifest.dependencies : {};
  const forDevelopment = isRecord(manifest.devDependencies) ? manifest.devDependencies : {};
  const twice = Object.keys(needed).filter((name) => Object.hasOwn(forDevelopment, name));
  if (twice.length > 0) throw new Error(`package.json: ${twice.join(", ")} is in dependencies and in devDependencies.`);
}

function define(target: Manifest, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function sorted(record: Manifest): Manifest {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Manifest {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
