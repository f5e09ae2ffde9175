// The answers that a project is made from, and their defaults.
// Change it to add an answer; settle.ts reads it from the flags, questions.ts asks for it.
import { resolve } from "node:path";
import type { Catalog, Pack } from "../packs/catalog.ts";
import type { PackageManager } from "../project/package-manager.ts";
import { nameFromDirectory } from "./project-name.ts";

export interface Answers {
  /** As it was given. */
  directory: string;
  name: string;
  framework: Pack;
  backend: Pack;
  packageManager: PackageManager;
  minimal: boolean;
  install: boolean;
  git: boolean;
}

/** The answers that are asked for while they are undefined. `name` is asked for only when none can be made of the directory's. */
export interface OpenAnswers {
  directory?: string;
  name?: string;
  framework?: string;
  backend?: string;
  install?: boolean;
  git?: boolean;
}

export const DEFAULT_DIRECTORY = "my-session-app";

export function withDefaults(known: OpenAnswers, catalog: Catalog): OpenAnswers {
  return {
    ...known,
    directory: known.directory ?? DEFAULT_DIRECTORY,
    framework: known.framework ?? defaultOf(catalog.frameworks),
    backend: known.backend ?? defaultOf(catalog.backends),
    install: known.install ?? true,
    git: known.git ?? true,
  };
}

export function defaultOf(packs: readonly Pack[]): string | undefined {
  return (packs.find((pack) => pack.isDefault) ?? packs[0])?.id;
}

export function idsOf(packs: readonly Pack[]): string[] {
  return packs.map((pack) => pack.id);
}

/** Whether the directory is known and no package name can be made of it. */
export function needsName({ directory, name }: OpenAnswers): boolean {
  return name === undefined && directory !== undefined && nameFromDirectory(resolve(directory)) === "";
}
