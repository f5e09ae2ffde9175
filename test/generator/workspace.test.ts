// A project inside a workspace: it becomes a member, and what the root has to say in its place is shown as lines to paste.
// Change it when a package manager describes its workspaces in another way.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PackageManager } from "../../create-session-app/src/project/package-manager.ts";
import { findWorkspace } from "../../create-session-app/src/project/workspace.ts";
import { builtCli, cloneWithFixtures, environment, runCli, temporaryFolder } from "./sandbox.ts";

const cli = builtCli(cloneWithFixtures());
const FLAGS = ["-f", "alpha", "-b", "served", "--no-install", "--no-git", "--json"];

/** A workspace with these files at its root. */
function workspace(files: Record<string, string>): string {
  const root = temporaryFolder();
  mkdirSync(join(root, "packages"));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  return root;
}

const manifest = (more: object) => JSON.stringify({ name: "root", private: true, ...more });
const packages = { workspaces: ["packages/*"] };

interface Document {
  answers: { workspaceMember: boolean };
  files: string[];
  notes?: string[];
  next: string[];
}

async function create(root: string, manager: PackageManager, directory = "packages/app"): Promise<Document> {
  const { code, stdout, stderr } = await runCli(cli, [directory, ...FLAGS, "--pm", manager], { cwd: root });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

const SETTINGS = /^(pnpm-workspace\.yaml|yarn\.lock|\.yarnrc\.yml|package-lock\.json)$/;

describe("a member", () => {
  test("C14: of npm's workspace has no allowScripts of its own, and the root's lines are shown", async () => {
    const root = workspace({ "package.json": manifest(packages) });
    const { answers, notes, next } = await create(root, "npm");
    expect(answers.workspaceMember).toBe(true);
    const own = JSON.parse(readFileSync(join(root, "packages/app/package.json"), "utf8"));
    expect(own).not.toHaveProperty("allowScripts");
    expect(notes).toEqual([
      `The project is a member of the workspace in "${root}".`,
      'The workspace needs these lines in its package.json:\n  "allowScripts": {\n    "quiet-driver": false,\n    "served-driver": true\n  }',
    ]);
    expect(next.slice(0, 2)).toEqual(["cd packages/app", "npm install"]);
    // The lines are such as can be pasted.
    const lines = notes?.[1]?.split("\n").slice(1).join("\n");
    writeFileSync(join(root, "package.json"), `{ "name": "root", "workspaces": ["packages/*"],\n${lines}\n}`);
    expect((await create(root, "npm", "packages/other")).notes).toHaveLength(1);
  });

  test("C14: of pnpm's workspace has no pnpm-workspace.yaml of its own, and the root's lines are shown", async () => {
    const yaml = "packages:\n  - packages/*\n";
    const root = workspace({ "package.json": manifest({}), "pnpm-workspace.yaml": yaml });
    const { answers, files, notes } = await create(root, "pnpm");
    expect([answers.workspaceMember, files.filter((path) => SETTINGS.test(path))]).toEqual([true, []]);
    const lines = notes?.[1]
      ?.split("\n")
      .slice(1)
      .map((line) => line.slice(2));
    expect(lines?.slice(0, 3)).toEqual(["allowBuilds:", "  quiet-driver: false", "  served-driver: true"]);
    writeFileSync(join(root, "pnpm-workspace.yaml"), `${yaml}${lines?.join("\n")}\n`);
    expect((await create(root, "pnpm", "packages/other")).notes).toHaveLength(1);
  });

  test("C14: of yarn's workspace has no lock file and no settings of its own, and the root's lines are shown", async () => {
    const root = workspace({ "package.json": manifest(packages) });
    const { files, notes } = await create(root, "yarn");
    expect(files.filter((path) => SETTINGS.test(path))).toEqual([]);
    expect(JSON.parse(readFileSync(join(root, "packages/app/package.json"), "utf8"))).not.toHaveProperty(
      "dependenciesMeta",
    );
    expect(notes?.slice(1)).toEqual([
      expect.stringMatching(/^The workspace needs these lines in its package\.json:\n {2}"dependenciesMeta": \{\n/),
      "The workspace needs these lines in its .yarnrc.yml:\n  nodeLinker: node-modules",
    ]);
  });

  test("C14: of bun's workspace trusts nothing of its own, and the root's lines are shown", async () => {
    const root = workspace({ "package.json": manifest({ workspaces: { packages: ["packages/*"] } }) });
    const { notes } = await create(root, "bun");
    expect(JSON.parse(readFileSync(join(root, "packages/app/package.json"), "utf8"))).not.toHaveProperty(
      "trustedDependencies",
    );
    expect(notes?.[1]).toContain('"trustedDependencies": [\n    "served-driver"\n  ]');
  });

  test("C14: npm's own install at the root takes it in, with one lock file", async () => {
    const root = workspace({ "package.json": manifest(packages) });
    await create(root, "npm");
    // Nothing is fetched: what the member depends on isn't what this is about.
    const member = join(root, "packages/app/package.json");
    const { dependencies: _, devDependencies: __, ...rest } = JSON.parse(readFileSync(member, "utf8"));
    writeFileSync(member, JSON.stringify(rest));
    const env = environment() as NodeJS.ProcessEnv;
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--offline"], {
      cwd: join(root, "packages/app"),
      env,
      stdio: "ignore",
    });
    expect(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages).toHaveProperty(["packages/app"]);
    expect(existsSync(join(root, "packages/app/package-lock.json"))).toBe(false);
  });

  test("P9 C14: its Dockerfile asks for no lock file, which lies at the root", async () => {
    const root = workspace({ "package.json": manifest(packages) });
    await create(root, "npm");
    expect(readFileSync(join(root, "packages/app/Dockerfile"), "utf8")).toContain(
      "RUN npm install --omit=dev --no-package-lock",
    );
  });
});

describe("what makes a member", () => {
  const npm = (workspaces: unknown) => ({ "package.json": manifest({ workspaces }) });
  const pnpm = (text: string) => ({ "package.json": manifest({}), "pnpm-workspace.yaml": text });

  test.each<[PackageManager, string, Record<string, string>, boolean]>([
    ["npm", "packages/app", npm(["packages/*"]), true],
    ["npm", "packages/app", npm(["./packages/*/"]), true],
    ["npm", "packages/app", npm(["packages/app"]), true],
    ["npm", "packages/app", npm(["tools", "packages/{api,app}"]), true],
    ["npm", "packages/a/b/app", npm(["packages/**"]), true],
    ["npm", "packages/app", npm(["**"]), true],
    ["npm", "packages/app", npm({ packages: ["packages/*"] }), true],
    ["npm", "packages/a/app", npm(["packages/*"]), false],
    ["npm", "packages/app", npm(["tools/*"]), false],
    ["npm", "packages/app", npm(["packages/*", "!packages/app"]), false],
    ["npm", "packages/apps", npm(["packages/a.p", "packages/app"]), false],
    ["npm", "packages/app", npm("packages/*"), false],
    ["npm", "packages/app", { "package.json": "{ not JSON" }, false],
    ["npm", "packages/app", pnpm("packages:\n  - packages/*\n"), false],
    ["yarn", "packages/app", npm(["packages/*"]), true],
    ["bun", "packages/app", npm(["packages/*"]), true],
    ["pnpm", "packages/app", npm(["packages/*"]), false],
    ["pnpm", "packages/app", pnpm("packages:\n  - packages/*\n"), true],
    ["pnpm", "packages/app", pnpm("catalog: {}\npackages:\n- \"tools/*\"\n# ours\n- 'packages/*' # all\n"), true],
    ["pnpm", "packages/app", pnpm('packages: ["tools/*", packages/*]\n'), true],
    ["pnpm", "packages/app", pnpm("packages:\r\n  - packages/*\r\n"), true],
    ["pnpm", "packages/app", pnpm("packages:\n  - packages/*\n  - '!packages/app'\n"), false],
    ["pnpm", "packages/app", pnpm("packages: []\nallowBuilds:\n  - packages/*\n"), false],
    ["pnpm", "packages/app", pnpm("allowBuilds:\n  x: true\n"), false],
  ])("C14: %s, %s below %j: %s", (manager, directory, files, member) => {
    const root = workspace(files);
    expect(findWorkspace(join(root, directory), manager)?.root).toBe(member ? root : undefined);
  });

  test("C14: a project that no pattern takes in stands alone, with settings of its own", async () => {
    const root = workspace(pnpm("packages:\n  - tools/*\n"));
    const { answers, files, notes } = await create(root, "pnpm");
    expect([answers.workspaceMember, notes, files.includes("pnpm-workspace.yaml")]).toEqual([false, undefined, true]);
  });
});
