// `doctor`: says how a project stands: its version, edited files, dependencies, security fixes, settings. It changes nothing.
// Change it to look at something else; doctor-messages.ts words what it reports.
import { Failure } from "../command-line/failure.ts";
import { installedCopies, installedCopy, moduleFolders } from "../disk/installed-packages.ts";
import { readFiles } from "../disk/read.ts";
import type { Added } from "../project/added.ts";
import { placeOf } from "../project/added.ts";
import { releasesSince } from "../project/changelog.ts";
import type { Choice } from "../project/choice.ts";
import { dependenciesOf, dependencyDrift, isBelow } from "../project/dependency-ranges.ts";
import { isUnedited } from "../project/find-base.ts";
import type { Plan } from "../project/plan.ts";
import { isShared } from "../project/plan-added.ts";
import { RECORD } from "../project/record.ts";
import type { SecurityFix } from "../project/security-fixes.ts";
import { filesToSearch, missingFixes } from "../project/security-fixes.ts";
import type { Tree } from "../project/tree.ts";
import { SETTING_FILES, unsafeSettings } from "../project/unsafe-settings.ts";
import type { CommandInput } from "./command.ts";
import type { Findings } from "./doctor-messages.ts";
import { reportFindings } from "./doctor-messages.ts";
import type { Project } from "./project.ts";
import { choiceOf, openProject, planFor } from "./project.ts";

/** Throws when something has to be done. */
export async function doctor({ flags, assets, report }: CommandInput): Promise<void> {
  const { version } = assets.catalog;
  const project = openProject(flags.directory, version);
  const { record, directory } = project;
  const choice = choiceOf(record.answers, assets);
  const plan = await planFor(choice, assets);
  const fixes = fixesFor(assets.securityFixes() as SecurityFix[], record.answers.added);
  const config = configOf(record);
  const paths = [
    ...record.files.keys(),
    ...record.moved.values(),
    ...filesToSearch(fixes),
    ...SETTING_FILES,
    config,
    "package.json",
  ];
  const { files } = readFiles(directory, new Set(paths));
  const findings: Findings = {
    ...editsOf(project, files),
    dependencies: driftOf(files, plan),
    ...installedIn(directory, files, choice),
    fixes: missingFixes(fixes, files, record.moved),
    settings: unsafeSettings(files, config),
    schemaChanges: releasesSince(record.version, choice.backend.readSchemaChanges()),
  };
  reportFindings(report, project, choice, version, findings);
}

/** Where the settings are read, wherever the user keeps that file. */
function configOf({ answers, moved }: Project["record"]): string {
  const generated = "src/config.ts";
  const path = answers.added === undefined ? generated : (placeOf(generated, answers.added) ?? generated);
  return moved.get(path) ?? path;
}

/** In an app that was there before, the files are elsewhere. */
function fixesFor(fixes: readonly SecurityFix[], added: Added | undefined): SecurityFix[] {
  if (added === undefined) return [...fixes];
  return fixes.map((fix) => ({
    ...fix,
    signs: fix.signs.map((sign) => ({ ...sign, files: sign.files.map((path) => placeOf(path, added) ?? path) })),
  }));
}

/** A file that was moved counts as there. */
function editsOf({ record }: Project, files: Tree): Pick<Findings, "edited" | "missing"> {
  const edited: string[] = [];
  const missing: string[] = [];
  for (const [generatedPath, id] of record.files) {
    // Most of a file that is shared is the app's own.
    if (generatedPath === RECORD || (record.answers.added && isShared(generatedPath))) continue;
    const path = record.moved.get(generatedPath) ?? generatedPath;
    const content = files.get(path);
    if (content === undefined) missing.push(path);
    else if (!isUnedited(content, id)) edited.push(path);
  }
  return { edited, missing };
}

/** A project of which nothing is installed lacks nothing: it may be checked in a fresh clone. */
function installedIn(
  directory: string,
  files: Tree,
  { framework }: Choice,
): Pick<Findings, "isInstalled" | "installed" | "copies"> {
  const manifest = files.get("package.json");
  const folders = moduleFolders(directory);
  const dependencies = manifest === undefined ? [] : [...dependenciesOf(readManifest(manifest))];
  const found = dependencies.map(([name, range]) => ({ name, range, version: installedCopy(folders, name)?.version }));
  if (found.every(({ version }) => version === undefined)) {
    return { isInstalled: dependencies.length === 0, installed: [], copies: [] };
  }
  return {
    isInstalled: true,
    installed: found.filter(({ version, range }) => version === undefined || isBelow(version, range)),
    copies: Object.keys(framework.manifest.dependencies ?? {})
      .map((name) => ({ name, copies: installedCopies(folders, name) }))
      .filter(({ copies }) => copies.length > 1),
  };
}

function readManifest(content: Uint8Array): string {
  const text = Buffer.from(content)
    .toString("utf8")
    .replace(/^\ufeff/, "");
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new Failure(1, "MANIFEST", `package.json is not JSON: ${(error as Error).message}.`, {}, error);
  }
}

function driftOf(files: Tree, plan: Plan): Findings["dependencies"] {
  const yours = files.get("package.json");
  const ours = plan.get("package.json")?.content;
  if (yours === undefined || ours === undefined) return [];
  return dependencyDrift(readManifest(yours), Buffer.from(ours).toString("utf8"));
}
