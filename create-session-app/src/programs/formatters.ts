// The formatters of a user's project, Biome and Prettier, for texts that are in no file of it. They follow the project's own settings.
// Change it when projects use another formatter.
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export interface Formatter {
  name: string;
  /**
   * The text as the formatter writes it. Undefined: it doesn't format such files, or the project excludes this one.
   * Rejects when the formatter fails.
   * @param path in the project, with forward slashes
   */
  format(path: string, text: string): Promise<string | undefined>;
}

/** Those that are installed where the project would find them. */
export function formattersOf(directory: string, signal: AbortSignal): Formatter[] {
  const biome = resolved("@biomejs/biome/bin/biome", directory);
  const prettier = resolved("prettier", directory);
  return [
    ...(biome === undefined ? [] : [biomeAt(biome, directory, signal)]),
    ...(prettier === undefined ? [] : [prettierAt(prettier, directory)]),
  ];
}

function resolved(specifier: string, directory: string): string | undefined {
  try {
    return createRequire(join(directory, "package.json")).resolve(specifier);
  } catch {
    return undefined;
  }
}

const BIOME_FORMATS = /\.(?:[cm]?[jt]sx?|jsonc?|css|html)$/;

function biomeAt(program: string, directory: string, signal: AbortSignal): Formatter {
  // `check`, since it sorts imports where the project wants that.
  const parameters = (path: string) => ["check", "--write", "--linter-enabled=false", `--stdin-file-path=${path}`];
  const run = (path: string, text: string) =>
    new Promise<string>((resolve, reject) => {
      const options = { cwd: directory, maxBuffer: 1 << 26, signal };
      const child = execFile(process.execPath, [program, ...parameters(path)], options, (error, stdout) => {
        if (error) reject(error);
        else resolve(stdout);
      });
      // It may have ended before it has read all of it; its exit code says why.
      child.stdin?.on("error", () => {});
      child.stdin?.end(text);
    });
  return { name: "Biome", format: async (path, text) => (BIOME_FORMATS.test(path) ? run(path, text) : undefined) };
}

/** What is used of Prettier's interface; versions 2 and 3 have it. */
interface Prettier {
  getFileInfo(path: string, options: object): Promise<{ ignored: boolean; inferredParser: string | null }>;
  resolveConfig(path: string, options: object): Promise<object | null>;
  format(text: string, options: object): Promise<string> | string;
}

function prettierAt(entry: string, directory: string): Formatter {
  const ignorePath = join(directory, ".prettierignore");
  return {
    name: "Prettier",
    async format(path, text) {
      const module: { default?: Prettier } & Prettier = await import(pathToFileURL(entry).href);
      const prettier: Prettier = module.default ?? module;
      const filepath = join(directory, path);
      const { ignored, inferredParser } = await prettier.getFileInfo(filepath, { ignorePath });
      if (ignored || inferredParser === null) return undefined;
      const settings = await prettier.resolveConfig(filepath, { editorconfig: true });
      return prettier.format(text, { ...settings, filepath });
    },
  };
}
