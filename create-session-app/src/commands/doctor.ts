// `doctor`: says how a project stands: its version, edited files, dependencies, security fixes, settings. It changes nothing.
// Change it to look at something else; doctor-messages.ts words what it reports.
import { readFiles } from "../disk/read.ts";
import type { Added } from "../project/added.ts";
import { placeOf } from "../project/added.ts";
import { dependencyDrift } from "../project/dependency-ranges.ts";
import { isUnedited } from "../project/find-base.ts";
import type { Plan } from "../project/plan.ts";
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
  const plan = await planFor(choiceOf(record.answers, assets), assets);
  const fixes = fixesFor(assets.securityFixes() as SecurityFix[], record.answers.added);
  const paths = [
    ...record.files.keys(),
    ...record.moved.values(),
    ...filesToSearch(fixes),
    ...SETTING_FILES,
    "package.json",
  ];
  const { files } = readFiles(directory, new Set(paths));
  const findings: Findings = {
    ...editsOf(project, files),
    dependencies: driftOf(files, plan),
    fixes: missingFixes(fixes, files, record.moved),
    settings: unsafeSettings(files),
  };
  reportFindings(report, project, version, findings);
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
    if (generatedPath === RECORD || record.shared.has(generatedPath)) continue;
    const path = record.moved.get(generatedPath) ?? generatedPath;
    const content = files.get(path);
    if (content === undefined) missing.push(path);
    else if (!isUnedited(content, id)) edited.push(path);
  }
  return { edited, missing };
}

function driftOf(files: Tree, plan: Plan): Findings["dependencies"] {
  const yours = files.get("package.json");
  const ours = plan.get("package.json")?.content;
  if (yours === undefined || ours === undefined) return [];
  return dependencyDrift(Buffer.from(yours).toString("utf8"), Buffer.from(ours).toString("utf8"));
}
