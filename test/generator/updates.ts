// Two versions of create-session-app for the tests of `update`, and updates from one to the other.
// Change it when these tests need another difference between two versions.
import { programs } from "./sandbox.ts";
import { append, type Project, Version } from "./versions.ts";

export const EXPRESS = ["-f", "express", "-b", "redis"];

export const first = new Version("0.3.0");
export const second = new Version("0.4.0", first);
second.write("CHANGELOG.md", "# Changelog\n\n## 0.4.0, 2027-01-01\n\n- Tokens are safer.\n\n## 0.3.0\n\n- Old.\n");
second.edit("runtime/src/session/token.ts", append("// New in 0.4.0.\n"));
second.edit("runtime/src/session/cookie.ts", append("// New in 0.4.0.\n"));
second.edit("templates/base/files/src/config.ts", (text) => `// New in 0.4.0.\n${text}`);
second.write("templates/base/files/src/http/new.ts", "export const added = true;\n");
second.edit("templates/frameworks/express/package.json", (text) =>
  text.replace(/"express": "[^"]*"/, '"express": "^5.99.0"'),
);

export async function update(project: Project, parameters: string[] = ["--no-install"], version = second, env = {}) {
  const { code, stdout, stderr } = await version.run(["update", ...parameters], project.root, env);
  return { code, stdout, stderr };
}

/** Stands in for npm and a registry that has this version: `npm exec --yes --package=create-session-app@0.3.0 -- create-session-app …`. */
export function registryWith({ version, cli }: Version): { PATH: string } {
  const asked = `exec --yes --package=create-session-app@${version}`;
  return programs({ npm: `[ "$1 $2 $3" = "${asked}" ] && shift 5 && exec ${process.execPath} ${cli} "$@"` });
}

/** Settles the conflicts in a file by keeping both sides. */
export function settle(project: Project, path: string): void {
  project.edit(path, (text) => text.replace(/^<<<<<<<.*\n|^=======\n|^>>>>>>>.*\n/gm, ""));
}
