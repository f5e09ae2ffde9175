// Fills in a template that the build has prepared (prepare-template.ts): the part of Handlebars that our templates use.
// Change both when a template needs more of it. The package has this instead of Handlebars, which is three times the size of the rest.

/** How many blocks up it starts, then the names: "../name" is [1, "name"]. */
export type Path = [up: number, ...names: string[]];

export type Part =
  | string
  | ["value", Path]
  /** A value that may be missing: `lookup`. */
  | ["optional", Path]
  | ["if", condition: Path, then: Part[], otherwise: Part[]]
  | ["each", list: Path, body: Part[], otherwise: Part[]];

/** `scopes`: the context, innermost first. A value that isn't there is an error, as with Handlebars' `strict`. */
export function fillIn(parts: readonly Part[], scopes: readonly unknown[]): string {
  return parts.map((part) => fillInPart(part, scopes)).join("");
}

function fillInPart(part: Part, scopes: readonly unknown[]): string {
  if (typeof part === "string") return part;
  const [kind, path, body, otherwise] = part;
  const value = find(path, scopes);
  if (kind === "value" && value === undefined) {
    throw new Error(`A template names ${path.slice(1).join(".")}, which there isn't.`);
  }
  if (kind === "value" || kind === "optional") return String(value ?? "");
  if (kind === "if") return fillIn(isFilled(value) ? body : otherwise, scopes);
  const items = Array.isArray(value) ? value : [];
  if (items.length === 0) return fillIn(otherwise, scopes);
  return items.map((item) => fillIn(body, [item, ...scopes])).join("");
}

function find([up, ...names]: Path, scopes: readonly unknown[]): unknown {
  let value = scopes[up];
  for (const name of names) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** What Handlebars takes for true: an empty list isn't, a zero isn't. */
function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
