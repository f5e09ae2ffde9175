// What `add` finds out about an app that is there: framework, language, package manager, the files that it consists of.
// Change it when apps differ in something else that matters to sessions.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AppLanguage, CompilerOptions } from "../app/compiler-options.ts";
import type { SourceFile, StartingPoint } from "../app/entry.ts";
import { reachedFiles, startingPoints } from "../app/entry.ts";
import type { ReadText } from "../app/modules.ts";
import { bindingsOf, importsOf } from "../app/modules.ts";
import { type BabelParser, type Parse, parseWith } from "../app/syntax.ts";
import { optionsIn } from "../app/tsconfig.ts";
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import { readFiles } from "../disk/read.ts";
import type { Catalog, Manifest, Pack } from "../packs/catalog.ts";
import type { Compiler } from "../programs/compiler.ts";
import { compilerOf } from "../programs/compiler.ts";
import { loadParser } from "../programs/parser.ts";
import { commands, PACKAGE_MANAGERS, type PackageManager, runningPackageManager } from "../project/package-manager.ts";

export interface ExistingApp {
  directory: string;
  manifest: Manifest;
  read: ReadText;
  packageManager: PackageManager;
  /** Undefined where the parser can't be had. */
  parse: Parse | undefined;
  /** Why it can't. */
  parserProblem: string;
  /** Undefined for JavaScript. */
  compiler: Compiler | undefined;
  /** Where it starts; undefined: no file was found. */
  start: StartingPoint | undefined;
  /** The files that its start leads to, nearest first; none where they can't be parsed. */
  files: SourceFile[];
}

export async function openApp(
  directory: string,
  catalog: Catalog,
  program: string,
  signal: AbortSignal,
): Promise<ExistingApp> {
  const read: ReadText = (path) => {
    const content = readFiles(directory, [path]).files.get(path);
    return content === undefined ? undefined : Buffer.from(content).toString("utf8");
  };
  const manifest = manifestOf(directory, read);
  const loaded = await loadParser([directory, program], catalog.parser, signal);
  const parse = "parser" in loaded ? parseWith(loaded.parser as BabelParser) : undefined;
  const tsconfig = read("tsconfig.json");
  const compiler = tsconfig === undefined ? undefined : await compilerFor(directory, tsconfig, parse, signal);
  const outDir = compiler?.options.outDir;
  const [start] = startingPoints(manifest, read, typeof outDir === "string" ? outDir : undefined);
  const files = start && parse ? reachedFiles(start.path, read, parse) : [];
  return {
    directory,
    manifest,
    read,
    packageManager: packageManagerOf(directory, manifest),
    parse,
    parserProblem: "problem" in loaded ? loaded.problem : "",
    compiler,
    start,
    files,
  };
}

/** A compiler that isn't installed can't be asked: then what tsconfig.json itself says counts. */
async function compilerFor(
  directory: string,
  tsconfig: string,
  parse: Parse | undefined,
  signal: AbortSignal,
): Promise<Compiler> {
  const options = () => (parse === undefined ? {} : optionsIn(tsconfig, parse));
  return (await compilerOf(directory, signal)) ?? { version: "", options: options() };
}

function manifestOf(directory: string, read: ReadText): Manifest {
  const text = read("package.json");
  if (text === undefined) {
    const remedy = "Give the directory of an app. A new one is made by: npm create session-app@latest";
    throw new Failure(
      1,
      "NO_APP",
      `${quoted(directory)} holds no package.json, so there is no app to add sessions to. ${remedy}`,
    );
  }
  try {
    return JSON.parse(text.replace(/^\ufeff/, "")) as Manifest;
  } catch (error) {
    throw new Failure(1, "MANIFEST", `${quoted(join(directory, "package.json"))} isn't JSON.`, {}, error);
  }
}

/** The frameworks that the app depends on; without one, those of Node's own that its files use. */
export function frameworksOf({ manifest, files }: ExistingApp, { frameworks }: Catalog): Pack[] {
  const dependencies = { ...Object(manifest.devDependencies), ...Object(manifest.dependencies) };
  const found = frameworks.filter(({ add }) => add !== undefined && Object.hasOwn(dependencies, add.package));
  if (found.length > 0) return found;
  return frameworks.filter(
    ({ add }) =>
      add?.package.startsWith("node:") && files.some(({ program }) => bindingsOf(program, add.package).size > 0),
  );
}

export function languageOf({ manifest, compiler, files }: ExistingApp): AppLanguage {
  const compilerOptions: CompilerOptions | undefined = compiler?.options;
  const neighbours = files[0] === undefined ? [] : importsOf(files[0].program).filter((name) => name.startsWith("."));
  return { isModule: manifest.type === "module", compilerOptions, neighbours };
}

/** By the nearest lock file, else by what package.json says, else the one that runs this. */
function packageManagerOf(directory: string, manifest: Manifest): PackageManager {
  for (let folder = directory; ; folder = dirname(folder)) {
    const found = PACKAGE_MANAGERS.find((manager) => existsSync(join(folder, commands[manager].lockFile)));
    if (found !== undefined) return found;
    if (folder === dirname(folder)) break;
  }
  const named = String(manifest.packageManager ?? "").split("@", 1)[0];
  return (
    PACKAGE_MANAGERS.find((manager) => manager === named) ?? runningPackageManager(process.env.npm_config_user_agent)
  );
}
