// Finds what there is to choose from: one folder each under templates/frameworks and templates/backends.
// Change it when a pack may declare something new; every mistake in a pack is reported here, with its file.
import type { PackFiles } from "./files.ts";

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
  /** Names the layer in messages and in a project's record: "backends/sqlite". */
  origin: string;
  manifest: Manifest;
  /** Dependencies that only the example imports: a project without the example doesn't get them. */
  exampleDependencies: string[];
  /** Reads the folders, so it is called only for the packs that are chosen. */
  listFiles(): LayerFile[];
  /** What an app that was there before gets besides, when sessions are added to it. */
  listAdded(): LayerFile[];
  /** What comes in addition, or in place of a file, while a project keeps the store that it had before. */
  listMoveFiles(): LayerFile[];
}

export interface LayerFile {
  /** The path in the project, with forward slashes. */
  path: string;
  /** The path among the files of all packs: "templates/base/files/LICENSE". */
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
  /** Whether a project doesn't start before some setting of its store is given. */
  needsSettings: boolean;
  /** True where no other process, such as the shell's tool, can see the sessions. */
  inProcess: boolean;
  /** How `add` recognises and wires an app with this framework; undefined for backends. */
  add: AddRules | undefined;
  /** Its part of the project's README: Markdown, with npm's commands (project/context.ts puts others in their place). */
  readSection(): string;
  /** What an existing store needs for a version's new code, in the form of a changelog; empty: nothing has changed yet. */
  readSchemaChanges(): string;
}

/** What `add` has to know about a framework. */
export interface AddRules {
  /** The package that an app imports the framework from. */
  package: string;
  /** The exports that make an app; "default" is the default export, or the package itself in CommonJS. */
  makers: string[];
  /** How: `express()`, `new Koa()`, or `createServer(listener)`, where the listener is to be wrapped. */
  by: "call" | "new" | "listener";
  /** Whether an exported function that takes the app as its first argument is an app as well. */
  plugin: boolean;
  /** What the app's main file imports besides createSessions: names, and the files of the packs that export them. */
  imports: { name: string; file: string }[];
  /** The statements, or the wrapped listener. APP is the app's variable, LISTENER what was there. */
  mount: string[];
  /** How a handler uses a session, as an example. */
  usage: string;
  predecessor?: Predecessor;
}

/** Another package's sessions, which can be taken over. */
export interface Predecessor {
  package: string;
  /** Its exports that make the middleware or are the plugin. */
  exports: string[];
  /** Types that claim the session for themselves; they have to go. */
  types?: string;
  /** The recipe with src/adopt.ts, and the function in it. */
  adoptRecipe: string;
  adopt: string;
  /** What that function is given: its options, and what they are called in the package's; "=CODE" is code as it stands. */
  options: Record<string, string>;
  /** The options without which there is nothing to take over. */
  needs: string[];
  /** The recipe that shows a session as the package did, what it exports, and the statement that mounts it. */
  viewRecipe: string;
  view: string;
  viewMount: string;
  /** By member of the session, what it is called here. SESSION is the session. "=" is an assignment to the session itself. */
  uses: Record<string, string>;
  /** Packages whose sessions can't be taken over. */
  others: string[];
}

export interface Catalog {
  version: string;
  /** The range of the package `node`, for projects made where Node is too old. */
  pinnedNode: string;
  /** The version of @babel/parser that `add` fetches. */
  parser: string;
  /** What every project gets: the base and the session runtime. */
  common: Layer[];
  frameworks: Pack[];
  backends: Pack[];
}

/** @param own create-session-app's own package.json */
export function readCatalog(files: PackFiles, own: Manifest): Catalog {
  const version = (name: string): string => {
    const range = record(own.devDependencies)[name];
    if (typeof range === "string") return range;
    throw new Error(`create-session-app/package.json: devDependencies.${name} is missing.`);
  };
  return {
    version: String(own.version),
    pinnedNode: version("node"),
    parser: version("@babel/parser"),
    common: [readLayer(files, "base", "templates/base"), readRuntime(files)],
    frameworks: readPacks(files, "frameworks"),
    backends: readPacks(files, "backends"),
  };
}

/** A folder is a pack as soon as its package.json has the key "sessionApp". */
function readPacks(files: PackFiles, kind: "frameworks" | "backends"): Pack[] {
  const ids = new Set(files.list(`templates/${kind}`).map((path) => path.split("/")[2] ?? ""));
  const packs = [...ids].flatMap((id) => readPack(files, kind, id) ?? []);
  packs.sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
  const defaults = packs.filter((pack) => pack.isDefault).map((pack) => pack.id);
  if (defaults.length > 1)
    throw new Error(`templates/${kind}: ${defaults.join(" and ")} are both declared the default.`);
  return packs;
}

function readPack(files: PackFiles, kind: string, id: string): Pack | undefined {
  const folder = `templates/${kind}/${id}`;
  const layer = readLayer(files, `${kind}/${id}`, folder);
  const { sessionApp, ...manifest } = layer.manifest;
  if (sessionApp === undefined) return undefined;
  const declared = record(sessionApp);
  const text = (name: string, value: unknown): string => {
    if (typeof value === "string" && value !== "") return value;
    throw new Error(`${folder}/package.json: sessionApp.${name} must be a text, it is ${JSON.stringify(value)}.`);
  };
  const server = declared.server === null || declared.server === undefined ? null : record(declared.server);
  // npm heeds allowScripts only in a project's own package.json, and warns about it in a workspace's.
  const allowScripts = declared.allowScripts === undefined ? {} : { allowScripts: declared.allowScripts };
  const environment = list(declared.environment).map((entry) => {
    const variable = record(entry);
    return {
      name: text("environment[].name", variable.name),
      value: typeof variable.value === "string" ? variable.value : "",
      comment: text("environment[].comment", variable.comment),
      optional: variable.optional === true,
    };
  });
  return {
    ...layer,
    manifest: { ...manifest, ...allowScripts },
    id,
    label: text("label", declared.label),
    hint: text("hint", declared.hint),
    summary: text("summary", declared.summary ?? declared.hint),
    order: typeof declared.order === "number" ? declared.order : 1000,
    isDefault: declared.default === true,
    server: server && { name: text("server.name", server.name), start: text("server.start", server.start) },
    environment,
    needsSettings: environment.some(({ optional }) => !optional),
    inProcess: declared.inProcess === true,
    add: declared.add as AddRules | undefined,
    readSection: () => files.read(`${folder}/README.section.md`)?.toString("utf8").trim() ?? "",
    readSchemaChanges: () => files.read(`${folder}/SCHEMA-CHANGES.md`)?.toString("utf8") ?? "",
  };
}

function readLayer(files: PackFiles, origin: string, folder: string): Layer {
  const manifest = readJson(files, `${folder}/package.json`);
  return {
    origin,
    manifest,
    exampleDependencies: list(record(manifest.sessionApp).exampleDependencies).map(String),
    listFiles: () => files.list(`${folder}/files`).map((source) => projectFile(`${folder}/files`, source)),
    listAdded: () => files.list(`${folder}/added`).map((source) => projectFile(`${folder}/added`, source)),
    listMoveFiles: () => files.list(`${folder}/move`).map((source) => projectFile(`${folder}/move`, source)),
  };
}

/** The runtime's own files, without its tests, become src/session/ of the project. */
function readRuntime(files: PackFiles): Layer {
  return {
    origin: "runtime",
    manifest: readJson(files, "runtime/package.json"),
    exampleDependencies: [],
    listAdded: () => [],
    listFiles: () =>
      files
        .list("runtime/src/session")
        .filter((source) => source.endsWith(".ts") && !source.endsWith(".test.ts"))
        .map((source) => ({ path: source.slice("runtime/".length), source, template: false })),
    listMoveFiles: () => [],
  };
}

/** npm drops or renames some files when it packs, so they are kept under other names: `_gitignore` is `.gitignore`. */
function projectFile(folder: string, source: string): LayerFile {
  const template = source.endsWith(".hbs");
  const path = source
    .slice(`${folder}/`.length)
    .replace(/\.hbs$/, "")
    .replace(/(^|\/)_(?=[^/]*$)/, "$1.");
  return { path, source, template };
}

/** Nothing, when there is no such file. */
function readJson(files: PackFiles, path: string): Manifest {
  try {
    return record(JSON.parse(files.read(path)?.toString("utf8") ?? "{}"));
  } catch (cause) {
    throw new Error(`${path} can't be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function record(value: unknown): Manifest {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Manifest) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
