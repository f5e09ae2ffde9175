// `add` in a member of a workspace: its package manager is the root's, and what the root needs is said.
// Change it when workspaces are described in another way.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { App, appOf, checkSessions } from "./apps.ts";

const MEMBER = (manager: string) => ({
  "packages/api/package.json":
    '{ "name": "api", "version": "1.0.0", "main": "index.js", "scripts": { "start": "node index.js" }, "dependencies": { "koa": "^3.0.0" } }\n',
  "packages/api/index.js": `const Koa = require("koa");
const app = new Koa(); // by ${manager}
app.use(async (ctx) => {
  const { session } = ctx;
  if (ctx.path === "/me") ctx.body = \`\${session.userid ?? "nobody"} \${session.data.visits ?? 0}\`;
  else if (ctx.path === "/visit") ctx.body = String((session.data.visits = (session.data.visits ?? 0) + 1));
  else if (ctx.path === "/login") ctx.body = String(await session.signIn("ada"));
});
app.listen(process.env.PORT);
`,
});

describe("add in a workspace", { timeout: 600_000 }, () => {
  test.each([
    [
      "npm",
      {
        "package.json": '{ "private": true, "workspaces": ["packages/*"] }\n',
        "package-lock.json": '{ "lockfileVersion": 3, "packages": {} }\n',
      },
      '"allowScripts"',
    ],
    [
      "pnpm",
      {
        "package.json": '{ "private": true }\n',
        "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
        "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
      },
      "allowBuilds:",
    ],
  ])("C14 L7: a member of one of %s", async (manager, root, setting) => {
    const workspace = appOf({ ...root, ...MEMBER(manager) });
    const member = new App(join(workspace.root, "packages/api"));
    const { code, stdout, stderr } = await member.add("--backend", "sqlite", "--no-install", "--json");
    expect(code, stderr).toBe(0);
    const { answers, next, notes } = JSON.parse(stdout);
    expect(answers).toMatchObject({ packageManager: manager, workspaceMember: true });
    expect(next[0]).toBe(`${manager} install`);
    expect(notes.join("\n")).toContain(setting);
    expect(member.read("package.json")).not.toContain("allowScripts");
    expect(workspace.read("package.json")).toBe(root["package.json"]);
    if (manager !== "npm") return;
    await workspace.install();
    await checkSessions(await member.start());
  });
});
