// Finds what there is to choose from: one folder each under templates/frameworks and templates/backends.
// Change it when a pack may declare something new; every mistake in a pack is named here, with its file.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Variable {
  name: string;
  value: string;
  comment: string;
  /** Written commented-out to .env.example. */
  optional: boolean;
}

export type Manifest = Record<string, unknown>;

/** What goes into a project together: files, and a share of its package.json. */
export interface Layer {
  /** Names the layer in messages: "backends/sqlite". */
  origin: string;
  manifest: Manifest;
  files: LayerFile[];
}

export interface LayerFile {
  /** The path in the project, with forward slashes. */
  path: string;
  /** The path below the catalogue's root. */
  source: string;
  /** Rendered by Handlebars, or copied byte for byte. */
  template: boolean;
}

/** A framework or a backend. */
export interface Pack extends Layer {
  id: string;
  label: string;
  hint: string;
  summary: string;
  order: number;
  isDefault: boolean;
  /** What must run for the project to work, and the command that starts it. */
  server: { name: string; start: string } | null;
  environment: Variable[];
  /** Its part of the project's README: Markdown, with npm's commands (template-context.ts puts others in their place). */
  section: string;
}

export interface Catalog {
  version: string;
  /** The range of the package `node`, for projects made where Node is too old. */
  pinnedNode: string;
  /** What every project gets: the base and the session runtime. */
  common: Layer[];
  frameworks: Pack[];
  backends: Pack[];
}

/** Reads the folders below `root`, which holds create-session-app/, runtime/ and templates/. */
export function readCatalog(root: URL): Catalog {
  const own = readJson(new URL("create-session-app/package.json", root));
  const repository = readJson(new URL("package.json", root));
  const pinnedNode = record(repository.devDependencies).node;
  if (typeof pinnedNode !== "string") throw new Error("package.json: devDependencies.node is missing.");
  return {
    version: String(own.version),
    pinnedNode,
    common: [readLayer(root, "base", "templates/base"), readRuntime(root)],
    frameworks: readPacks(root, "frameworks"),
    backends: readPacks(root, "backends"),
  };
}

/** A folder is a pack once it says in its package.json how it is to be presented. */
function readPacks(root: URL, kind: "frameworks" | "backends"): Pack[] {
  const folder = new URL(`templates/${kind}/`, root);
  const ids = readdirSync(folder).filter((id) => existsSync(new URL(`${id}/package.json`, folder)));
  const told = ids.filter((id) => readJson(new URL(`${id}/package.json`, folder)).sessionApp !== undefined);
  const packs = told.map((id) => readPack(root, kind, id));
  packs.sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
  const defaults = packs.filter((pack) => pack.isDefault).map((pack) => pack.id);
  if (defaults.length > 1)
    throw new Error(`templates/${kind}: ${defaults.join(" and ")} both say that they are the default.`);
  return packs;
}

function readPack(root: URL, kind: string, id: string): Pack {
  const folder = `templates/${kind}/${id}`;
  const layer = readLayer(root, `${kind}/${id}`, folder);
  const { sessionApp, ...manifest } = layer.manifest;
  const told = record(sessionApp);
  const text = (name: string, value: unknown): string => {
    if (typeof value === "string" && value !== "") return value;
    throw new Error(`${folder}/package.json: sessionApp.${name} must be a text, it is ${JSON.stringify(value)}.`);
  };
  const server = told.server === null || told.server === undefined ? null : record(told.server);
  const section = new URL(`${folder}/README.section.md`, root);
  // npm heeds allowScripts only in a project's own package.json, and warns about it in a workspace's.
  const allowScripts = told.allowScripts === undefined ? {} : { allowScripts: told.allowScripts };
  return {
    ...layer,
    manifest: { ...manifest, ...allowScripts },
    id,
    label: text("label", told.label),
    hint: text("hint", told.hint),
    summary: text("summary", told.summary ?? told.hint),
    order: typeof told.order === "number" ? told.order : 1000,
    isDefault: told.default === true,
    server: server && { name: text("server.name", server.name), start: text("server.start", server.start) },
    environment: list(told.environment).map((entry) => {
      const variable = record(entry);
      return {
        name: text("environment[].name", variable.name),
        value: typeof variable.value === "string" ? variable.value : "",
        comment: text("environment[].comment", variable.comment),
        optional: variable.optional === true,
      };
    }),
    section: existsSync(section) ? readFileSync(section, "utf8").trim() : "",
  };
}

function readLayer(root: URL, origin: string, folder: string): Layer {
  const manifest = readJson(new URL(`${folder}/package.json`, root));
  return { origin, manifest, files: listFiles(root, `${folder}/files`).map((source) => projectFile(folder, source)) };
}

/** The runtime's own files, without its tests, become src/session/ of the project. */
function readRuntime(root: URL): Layer {
  const files = listFiles(root, "runtime/src/session")
    .filter((source) => source.endsWith(".ts") && !source.endsWith(".test.ts"))
    .map((source) => ({ path: source.slice("runtime/".length), source, template: false }));
  return { origin: "runtime", manifest: readJson(new URL("runtime/package.json", root)), files };
}

/** npm drops or renames some files when it packs, so they are kept under other names: `_gitignore` is `.gitignore`. */
function projectFile(folder: string, source: string): LayerFile {
  const template = source.endsWith(".hbs");
  const path = source
    .slice(`${folder}/files/`.length)
    .replace(/\.hbs$/, "")
    .replace(/(^|\/)_(?=[^/]*$)/, "$1.");
  return { path, source, template };
}

function listFiles(root: URL, folder: string): string[] {
  const directory = fileURLToPath(new URL(`${folder}/`, root));
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== ".DS_Store")
    .map(
      (entry) =>
        `${folder}/${`${entry.parentPath}/${entry.name}`.slice(directory.length).replaceAll("\\", "/").replace(/^\//, "")}`,
    )
    .filter((source) => !source.includes("/node_modules/"))
    .sort();
}

function readJson(file: URL): Manifest {
  try {
    return record(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new Error(`${fileURLToPath(file)} can't be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

function record(value: unknown): Manifest {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Manifest) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
