// How an app's TypeScript is compiled, and what that asks of files that are added to it.
// Change it when the compiler gets another option that our files depend on.
import type { Added } from "../project/added.ts";

export type CompilerOptions = Record<string, unknown>;

export interface AppLanguage {
  /** The app's package.json says "type": "module". */
  isModule: boolean;
  /** Undefined for JavaScript. */
  compilerOptions: CompilerOptions | undefined;
  /** How the app's main file names its neighbours. */
  neighbours: readonly string[];
}

/** Returns how our files have to be written in such an app. */
export function formFor({
  isModule,
  compilerOptions,
  neighbours,
}: AppLanguage): Pick<Added, "extension" | "specifier" | "commonjs" | "withoutDefaults" | "typescript" | "classic"> {
  if (compilerOptions === undefined) {
    const extension = isModule ? ".ts" : ".mts";
    return {
      extension,
      specifier: extension,
      commonjs: false,
      withoutDefaults: false,
      typescript: false,
      classic: false,
    };
  }
  const option = (name: string) => String(compilerOptions[name] ?? "").toLowerCase();
  const module = option("module") || (isModule ? "nodenext" : "commonjs");
  const resolution = option("moduleResolution") || (module === "commonjs" ? "node10" : "");
  const commonjs = module === "commonjs" || (!isModule && module !== "es6");
  const withExtension =
    compilerOptions.allowImportingTsExtensions === true || compilerOptions.rewriteRelativeImportExtensions === true;
  const extensionless = neighbours.length > 0 && neighbours.every((specifier) => !/\.[cm]?[jt]sx?$/.test(specifier));
  const needsExtension = isModule && (module.startsWith("node") || !extensionless);
  return {
    extension: ".ts",
    specifier: withExtension ? ".ts" : needsExtension ? ".js" : "",
    commonjs,
    withoutDefaults: commonjs && isWithoutDefaults(module, compilerOptions.esModuleInterop),
    typescript: true,
    classic: resolution === "node10" || resolution === "node" || resolution === "classic",
  };
}

/** "node16" and its successors turn it on unless it is set; with "esnext" and the like it is left to whatever runs the files. */
function isWithoutDefaults(module: string, esModuleInterop: unknown): boolean {
  return module === "commonjs" ? esModuleInterop !== true : module.startsWith("node") && esModuleInterop === false;
}

/** Our files use what ECMAScript has had since 2024. */
const NEEDED_YEAR = 2024;

/** Returns the options that need another value for our files to compile. */
export function neededOptions(
  options: CompilerOptions,
  compilerVersion: string,
): { name: string; value: string | string[] }[] {
  const needed: { name: string; value: string | string[] }[] = [];
  const target = String(options.target ?? (Number.parseInt(compilerVersion, 10) >= 6 ? "es2025" : "es5"));
  const lib = Array.isArray(options.lib) ? options.lib.map(String) : undefined;
  if (lib === undefined && yearOf(target) < NEEDED_YEAR) needed.push({ name: "target", value: `es${NEEDED_YEAR}` });
  if (lib !== undefined && Math.max(0, ...lib.map(yearOf)) < NEEDED_YEAR) {
    needed.push({
      name: "lib",
      value: [
        `es${NEEDED_YEAR}`,
        ...lib.filter((name) => yearOf(name) === 0).map((name) => name.toLowerCase().replace(/^lib\.|\.d\.ts$/g, "")),
      ],
    });
  }
  return needed;
}

/** Returns the edition of ECMAScript, or 0 for other names, such as "dom". */
function yearOf(name: string): number {
  if (/esnext/i.test(name)) return Number.POSITIVE_INFINITY;
  const edition = Number(/^(?:lib\.)?es(\d+)(?:\.d\.ts|\.full)?$/i.exec(name)?.[1] ?? 0);
  return edition === 0 || edition > 1000 ? edition : edition + 2009;
}
