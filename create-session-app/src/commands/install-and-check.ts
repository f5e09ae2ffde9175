// The last steps of `add`, `update` and `switch`: installs the dependencies and checks the types.
// Change it when a changed project should be tried in another way.
import { cancelled, Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { readFiles } from "../disk/read.ts";
import { installDependencies } from "../programs/install.ts";
import { runProgram } from "../programs/run.ts";
import type { Choice } from "../project/choice.ts";
import { changeDirectory } from "../project/next-steps.ts";
import { commands } from "../project/package-manager.ts";
import type { CommandInput } from "./command.ts";

/** Does nothing with --no-install. Throws when one of the two fails or is cancelled; the project stays as it is. */
export async function installAndCheck(
  { packageManager }: Choice,
  directory: string,
  { flags, report, signal }: CommandInput,
): Promise<void> {
  if (flags.install === false) {
    report.set({ installed: false, typesChecked: false });
    return;
  }
  const { install, run } = commands[packageManager];
  const check = `${run} typecheck`;
  const steps = [install, ...(hasScript(directory, "typecheck") ? [check] : [])];
  try {
    const endInstall = report.progress(`Installing with ${packageManager}`);
    const installed = await installDependencies(install, directory, signal).finally(endInstall);
    report.set({ installed: installed.ok });
    if (!installed.ok) throw failed(install, installed.output, "INSTALL");
    report.succeed(`Installed with ${packageManager}.`);
    steps.shift();

    if (steps.length === 0) return;
    const endCheck = report.progress("Checking types");
    const options = { cwd: directory, shell: process.platform === "win32" };
    const checked = await runProgram(check.split(" "), options, signal).finally(endCheck);
    report.set({ typesChecked: checked.ok });
    if (!checked.ok) throw failed(check, checked.output, "TYPES");
    report.succeed("Types checked.");
  } catch (error) {
    if (error instanceof Failure && error.exitCode === 130) throw cancelledAfterWriting(report, directory, steps);
    throw error;
  }

  function failed(what: string, output: string, code: string): Failure {
    report.quote(output);
    const message = `${what} failed (its output is above). The files are in place; when the cause is gone, run it again.`;
    return new Failure(1, code, message, { output });
  }
}

function cancelledAfterWriting(report: Report, directory: string, left: readonly string[]): Failure {
  const steps = [...changeDirectory(directory), ...left];
  report.set({ next: steps });
  const { exitCode, code, message } = cancelled();
  const listed = steps.map((step) => `\n  ${step}`).join("");
  return new Failure(exitCode, code, `${message} The files are in place. Go on with:${listed}`);
}

function hasScript(directory: string, name: string): boolean {
  const text = readFiles(directory, ["package.json"]).files.get("package.json");
  const scripts: unknown = text === undefined ? undefined : JSON.parse(Buffer.from(text).toString("utf8")).scripts;
  return typeof scripts === "object" && scripts !== null && Object.hasOwn(scripts, name);
}
