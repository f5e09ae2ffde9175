// The last steps of `add`, `update` and `switch`: installs the dependencies and checks the types.
// Change it when a changed project should be tried in another way.
import { Failure } from "../command-line/failure.ts";
import { readFiles } from "../disk/read.ts";
import { installDependencies } from "../programs/install.ts";
import { runProgram } from "../programs/run.ts";
import type { Choice } from "../project/choice.ts";
import { commands } from "../project/package-manager.ts";
import type { CommandInput } from "./command.ts";

/** Does nothing with --no-install. Throws when one of the two fails; the project stays as it is. */
export async function installAndCheck(
  { packageManager }: Choice,
  directory: string,
  { flags, report, signal }: CommandInput,
): Promise<void> {
  const { install, run } = commands[packageManager];
  if (flags.install === false) {
    report.set({ installed: false, typesChecked: false });
    return;
  }
  const endInstall = report.progress(`Installing with ${packageManager}`);
  const installed = await installDependencies(install, directory, signal).finally(endInstall);
  report.set({ installed: installed.ok });
  if (!installed.ok) throw failed(install, installed.output, "INSTALL");
  report.succeed(`Installed with ${packageManager}.`);

  if (!hasScript(directory, "typecheck")) return;
  const endCheck = report.progress("Checking types");
  const command = [...run.split(" "), "typecheck"];
  const options = { cwd: directory, shell: process.platform === "win32" };
  const checked = await runProgram(command, options, signal).finally(endCheck);
  report.set({ typesChecked: checked.ok });
  if (!checked.ok) throw failed(command.join(" "), checked.output, "TYPES");
  report.succeed("Types checked.");

  function failed(what: string, output: string, code: string): Failure {
    report.quote(output);
    const message = `${what} failed (its output is above). The files are in place; when the cause is gone, run it again.`;
    return new Failure(1, code, message, { output });
  }
}

function hasScript(directory: string, name: string): boolean {
  const text = readFiles(directory, ["package.json"]).files.get("package.json");
  const scripts: unknown = text === undefined ? undefined : JSON.parse(Buffer.from(text).toString("utf8")).scripts;
  return typeof scripts === "object" && scripts !== null && Object.hasOwn(scripts, name);
}
