// Atomicity of changes that remove files: killed at any moment, they are made as a whole, or taken back as a whole.
// Change it when the writer of disk/ changes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { countChanges, forEach, interfere, MINUTES, upTo } from "./kills.ts";
import { runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const program = join(import.meta.dirname, "apply-changes.ts");
/** Two files are removed, one of them with its folder; one is replaced, one is added, one to be removed isn't there. */
const CHANGES = {
  "README.md": "new\n",
  "src/example/page.ts": null,
  "src/gone.ts": null,
  "src/main.ts": null,
  "test/new/added.ts": "new\n",
};
const APPLY = ["app", JSON.stringify(CHANGES)];

function inhabited(): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, "app/src/example"), { recursive: true });
  for (const path of ["README.md", "src/main.ts", "src/mine.ts", "src/example/page.ts"]) {
    writeFileSync(join(cwd, "app", path), "old\n", { mode: 0o640 });
  }
  return cwd;
}

const before = snapshot(inhabited());

async function undisturbed() {
  const cwd = inhabited();
  const changes = await countChanges(program, cwd, APPLY);
  return { after: snapshot(cwd), changes };
}

describe("changes that remove files", () => {
  test("C5: files are removed, with the folders that they leave empty, and nothing else is", async () => {
    const { after } = await undisturbed();
    expect(Object.keys(after)).toEqual([
      "app/",
      "app/README.md",
      "app/src/",
      "app/src/mine.ts",
      "app/test/",
      "app/test/new/",
      "app/test/new/added.ts",
    ]);
    expect(after["app/src/mine.ts"]).toBe(before["app/src/mine.ts"]);
  });

  test("C5: SIGKILL before any single change leaves what the next run takes back byte for byte, or finishes", {
    timeout: 5 * MINUTES,
  }, async () => {
    const { after, changes } = await undisturbed();
    expect(changes).toBeGreaterThan(20);
    await forEach(upTo(changes), async (at) => {
      const cwd = inhabited();
      expect((await interfere(program, cwd, APPLY, { at, signal: "SIGKILL" })).signal, `change ${at}`).toBe("SIGKILL");
      const { code, stderr } = await runCli(program, ["app"], { cwd });
      expect(code, stderr).toBe(0);
      const finished = /all files were in place|after its last/.test(stderr) || stderr === "";
      const whole = finished && JSON.stringify(snapshot(cwd)) === JSON.stringify(after);
      expect(snapshot(cwd), `change ${at}: ${stderr}`).toEqual(whole ? after : before);
      expect((await runCli(program, APPLY, { cwd })).code).toBe(0);
      expect(snapshot(cwd), `change ${at}`).toEqual(after);
    });
  });

  test("C4 C5: a signal or a full disk at any change leaves it as it was, or whole", {
    timeout: 5 * MINUTES,
  }, async () => {
    const { after, changes } = await undisturbed();
    await forEach(upTo(changes), async (at) => {
      for (const [interference, failed] of [
        [{ at, signal: "SIGINT" }, 130],
        [{ at, full: true }, 1],
      ] as const) {
        const cwd = inhabited();
        const { code, stderr } = await interfere(program, cwd, APPLY, interference);
        expect([code, snapshot(cwd)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [failed, before]);
      }
    });
  });

  test("C5: a file that the user makes in a removed one's place is kept, and so is the removed one", async () => {
    const cwd = inhabited();
    await interfere(program, cwd, APPLY, { before: "linkSync .*test/new/added.ts", signal: "SIGKILL" });
    writeFileSync(join(cwd, "app/src/main.ts"), "made since\n");
    const { stderr } = await runCli(program, ["app"], { cwd });
    expect(stderr).toContain('The file that was there before is "src/main.ts.before" now.');
    expect(readFileSync(join(cwd, "app/src/main.ts"), "utf8")).toBe("made since\n");
    expect(readFileSync(join(cwd, "app/src/main.ts.before"), "utf8")).toBe("old\n");
    expect(readFileSync(join(cwd, "app/README.md"), "utf8")).toBe("old\n");
  });
});
