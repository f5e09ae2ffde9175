// The capture of an update in README.md is what such a run prints.
// Change README.md when this fails because the output has become better.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { programs, repository } from "./sandbox.ts";
import { append, Version } from "./versions.ts";

const NEWS = `# Changelog

## 0.2.0

- A session that is locked to an address is compared by the whole of it, IPv6 zones included (CSA-2027-001).
- \`SESSION_NAME\` may have 80 characters.
`;

test("L2 L3: the capture of an update in README.md is what a run prints", async () => {
  const first = new Version("0.1.0");
  const second = new Version("0.2.0", first);
  second.write("CHANGELOG.md", NEWS);
  second.edit("runtime/src/session/guard.ts", append("// New.\n"));
  second.edit("templates/base/files/src/config.ts", (text) => text.replace("{1,64}$/", "{1,80}$/"));
  const project = await first.create(["-f", "express", "-b", "sqlite", "--pm", "npm"]);
  project.edit("src/config.ts", (text) => text.replace('"SESSION_MAX_PER_USER", 0,', '"SESSION_MAX_PER_USER", 5,'));
  project.edit("src/main.ts", append("// Mine.\n"));
  project.remove("Dockerfile");
  project.commit();
  const { stdout } = await second.run(["update"], project.root, programs({ npm: "exit 0" }));
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const capture = /```console\n\$ npm create session-app@latest update\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(capture).toBe(stdout);
});
