// The example can go: one line of src/main.ts and its folders deleted, the rest type-checks, passes its own tests and has nothing unused.
// Change it when the example gets a file outside of its folders.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packs, repository } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { command, filesOf } from "./stranger.ts";
import { unused } from "./unused.ts";

const TYPESCRIPT = [process.execPath, join(repository, "node_modules", "typescript", "bin", "tsc"), "--noEmit"];

async function project(framework: string, name: string): Promise<string> {
  return assemble({ framework, backend: "sqlite" }, name);
}

async function deleteExample(folder: string): Promise<void> {
  const main = join(folder, "src", "main.ts");
  const lines = (await readFile(main, "utf8")).split("\n");
  const rest = lines.filter((line) => !line.includes("./example/"));
  expect(rest).toHaveLength(lines.length - 1);
  await writeFile(main, rest.join("\n"));
  for (const path of ["src/example", "test/example", "public", "src/authenticate.ts"]) {
    await rm(join(folder, path), { recursive: true });
  }
}

test.each(packs("frameworks"))("P12: nothing but one line of main.ts names the example: %s", async (framework) => {
  const folder = await project(framework, "with-example");
  const naming: string[] = [];
  for (const file of await filesOf(folder)) {
    if (!/^(src|test)\/(?!example\/).*\.ts$/.test(file)) continue;
    for (const line of (await readFile(join(folder, file), "utf8")).split("\n")) {
      if (/["/]example\//.test(line)) naming.push(`${file}: ${line.trim()}`);
    }
  }
  expect(naming).toEqual([
    expect.stringMatching(/^src\/main\.ts: .*\/\/ the example: delete this line and src\/example$/),
  ]);
});

test.each(packs("frameworks"))("C13, P8, P12: a project without the example is whole: %s", async (framework) => {
  const folder = await project(framework, "without-example");
  await deleteExample(folder);
  const checked = await command(folder, TYPESCRIPT);
  expect(checked, checked.output).toMatchObject({ code: 0 });
  expect(await unused(folder)).toEqual([]);
  const tested = await command(folder, [process.execPath, "--test", "--test-concurrency=1", "test/**/*.test.ts"]);
  expect(tested.code, tested.output).toBe(0);
  expect(tested.output).toMatch(/^. fail 0$/m);
  expect(tested.output).toMatch(/^. pass [1-9]/m);
});

test.each(packs("frameworks"))(
  "P8: the app can be imported without listening, and keeps no process alive: %s",
  async (framework) => {
    const folder = await project(framework, "imported");
    const program = `const { createApp } = await import("./src/main.ts");
    const { readConfig } = await import("./src/config.ts");
    const { server, sessions } = await createApp(readConfig({}));
    console.log(JSON.stringify({ listening: server.listening, sessions: sessions.constructor.name }));`;
    const imported = await command(folder, [process.execPath, "--input-type=module", "--eval", program]);
    expect(imported).toEqual({ code: 0, output: '{"listening":false,"sessions":"Sessions"}\n' });
  },
);
