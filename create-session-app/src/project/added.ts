// Sessions in an app that was there before: where each file of the packs goes, and how it is written there.
// Pure: texts in, texts out. Change it when such an app should get another file, or keep one elsewhere.
import { posix } from "node:path";

/** How the app is written and run, as far as our files depend on it. It is among the answers in the record. */
export interface Added {
  /** The folder of the app's source: "src". */
  folder: string;
  /** Node takes .mts for an ES module whatever the app's package.json says. */
  extension: ".ts" | ".mts";
  /** What an import of a neighbouring file ends with; none, and ".js", where a compiler or a loader finds the file. */
  specifier: ".ts" | ".mts" | ".js" | "";
  /** Whether our files are compiled to CommonJS, which has no import.meta. */
  commonjs: boolean;
  /** Whether the compiler leaves CommonJS packages without a default export, as it does with `esModuleInterop` off. */
  withoutDefaults: boolean;
  typescript: boolean;
  /** Whether TypeScript looks for types without the "exports" of packages, as it did before "node16". */
  classic: boolean;
  /** Whether live sessions of the framework's other session package are taken over. */
  adopts: boolean;
}

/** Folders and files of the packs, and where they are in the folder of the app's source. The first that fits counts. */
const PLACES: readonly [from: string, to: string][] = [
  ["src/session/", "session/"],
  ["src/store/", "store/"],
  ["src/session-data.ts", "session-data.ts"],
  ["src/session-columns.ts", "session-columns.ts"],
  ["src/config.ts", "session-config.ts"],
  ["src/http/environment.ts", "session-environment.ts"],
  ["schema.ts", "session-schema.ts"],
  ["src/adopt.ts", "session-adopt.ts"],
  ["src/http/session-view.ts", "session-view.ts"],
];

/** The shell's tool. It is run by Node as it is, so that compiled apps don't get it. */
const TOOL_PLACES: readonly [from: string, to: string][] = [
  ["src/cli/", "session-cli/"],
  ["src/http/device.ts", "session-cli/device.ts"],
];

/** What describes the schema in the database's own terms stands beside the folder of the source. */
const SCHEMA = /^schema\.(sql|json|md)$/;

export function hasTool({ specifier, commonjs }: Added): boolean {
  return specifier === ".mts" || (specifier === ".ts" && !commonjs);
}

/** Returns the place of one of the packs' files in the app, or undefined if the app doesn't get it. */
export function placeOf(path: string, added: Added): string | undefined {
  if (SCHEMA.test(path)) return posix.join(posix.dirname(added.folder), `session-${path}`);
  const places = hasTool(added) ? [...PLACES, ...TOOL_PLACES] : PLACES;
  const found = places.find(([from]) => (from.endsWith("/") ? path.startsWith(from) : path === from));
  return found && inApp(found[1] + path.slice(found[0].length), added);
}

/** Returns the place of a file that only apps of this kind get, or undefined if this one doesn't need it. */
export function placeOfAddition(path: string, added: Added): string | undefined {
  if (path.endsWith(".d.ts") && !added.classic) return undefined;
  return inApp(path.slice("src/".length), added);
}

function inApp(path: string, { folder, extension }: Added): string {
  return `${folder}/${path.replace(/\.ts$/, extension)}`;
}

/**
 * The text of a file as it is in the app.
 * @param path the file's path in its pack
 * @param places of all files, by their path in their packs
 */
export function textInApp(text: string, path: string, places: ReadonlyMap<string, string>, added: Added): string {
  if (!path.endsWith(".ts")) return withNames(text, places, added);
  const here = posix.dirname(places.get(path) ?? "");
  const renamed = text
    .replace(/\bschema\.(sql|json|md)\b/g, "session-schema.$1")
    .replace(/((?:from|import) ?\(?)"(\.\.?\/[^"]+)"/g, (_, start: string, specifier: string) => {
      const target = posix.join(posix.dirname(path), specifier);
      const place = places.get(target);
      if (place === undefined) throw new Error(`${path} imports ${specifier}, which an app doesn't get.`);
      return `${start}"${specifierOf(place, here, added)}"`;
    });
  const formatted = path === "src/config.ts" ? withoutServer(renamed, added) : renamed;
  const complete = withNames(formatted, places, added);
  const imported = added.withoutDefaults ? withoutDefaultImports(complete) : complete;
  return added.commonjs ? withoutImportMeta(imported) : imported;
}

/** Comments and messages name our files, too. */
function withNames(text: string, places: ReadonlyMap<string, string>, { extension }: Added): string {
  const own = places.has("schema.ts") ? "config|schema" : "config";
  return text
    .replace(/\bmain\.ts\b/g, "the app's main file")
    .replace(new RegExp(`(?<!session-)\\b(${own})\\.ts\\b`, "g"), "session-$1.ts")
    .replace(/\b([\w-]+)\.ts\b/g, `$1${extension}`);
}

/** Returns how an import names a file. */
export function specifierOf(place: string, fromFolder: string, { extension, specifier }: Added): string {
  const path = posix.relative(fromFolder, place).replace(new RegExp(`\\${extension}$`), specifier);
  return path.startsWith(".") ? path : `./${path}`;
}

/** Packages are required, which works with every setting of the compiler as long as it makes CommonJS. */
function withoutDefaultImports(text: string): string {
  return text.replace(/^import (type )?(\w+) from ("[^".][^"]*");$/gm, "import $1$2 = require($3);");
}

function withoutImportMeta(text: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the template in the text.
  const replaced = text.replace(/new URL\("([^"]+)", import\.meta\.url\)/g, "`${__dirname}/$1`");
  if (replaced.includes("import.meta")) throw new Error("A file that is compiled to CommonJS uses import.meta.");
  return replaced;
}

/** The address to listen on is the app's own affair. */
function withoutServer(config: string, added: Added): string {
  let text = config;
  for (const part of [
    / {2}\/\*\* The address to listen on.*\n {2}host: string;\n {2}\/\*\* The port.*\n {2}port: number;\n/,
    / {2}\/\*\* Whether cookies are always Secure.*\n {2}production: boolean;\n/,
    / {4}host: env\.text.*\n {4}port: env\.integer.*\n {4}production,\n/,
  ]) {
    const shorter = text.replace(part, "");
    if (shorter === text) throw new Error(`src/config.ts has nothing that looks like ${part}.`);
    text = shorter;
  }
  return withoutTool(text, added).replace("Every setting of the app:", "Every setting of the app's sessions:");
}

/** .env.example without what the app decides for itself. */
export function environmentInApp(text: string, added: Added): string {
  const sections = text.split(/\n(?=# [A-Z][^\n]*\n\n)/);
  const own = sections.filter((section) => !section.startsWith("# The server\n")).join("\n");
  return withoutTool(own, added).replace("src/config.ts", `${added.folder}/session-config${added.extension}`);
}

function withoutTool(text: string, added: Added): string {
  return hasTool(added) ? text : text.replace(/`[^`]* setup` creates it\./, "you create it by hand.");
}
