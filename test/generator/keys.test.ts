// Keys that a question has no use for, and pastes: nobody sees a stack trace, and nothing gets into an answer that nobody meant.
// Change it when a question listens to another key.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtCli, cloneWithFixtures, programs, temporaryFolder } from "./sandbox.ts";
import { KEYS, Person } from "./screen.ts";
import { snapshot } from "./tree.ts";

const cli = builtCli(cloneWithFixtures());

function sit(parameters: string[] = [], env: Record<string, string> = programs({ npm: "exit 0", git: "exit 0" })) {
  const cwd = temporaryFolder();
  return { cwd, person: new Person(process.execPath, [cli, ...parameters], { cwd, env }) };
}

function answers(project: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(project, ".session-app.json"), "utf8")).answers;
}

/** What a terminal sends for keys that no question listens to. */
const STRANGE = {
  F1: "\x1bOP",
  F5: "\x1b[15~",
  F12: "\x1b[24~",
  "Shift-F3": "\x1b[1;2R",
  "Ctrl-F5": "\x1b[15;5~",
  "F1 of the Linux console": "\x1b[[A",
  Insert: "\x1b[2~",
  "Shift-Insert": "\x1b[2;2~",
  "Ctrl-Up": "\x1b[1;5A",
  "Alt-x": "\x1bx",
  "Alt-Enter": "\x1b\r",
  "Ctrl-B": "\x02",
  "Ctrl-L": "\x0c",
  "Ctrl-V": "\x16",
  "Ctrl-Backslash": "\x1c",
  NUL: "\x00",
  "the focus of the window": "\x1b[I",
  "a sequence that nobody knows": "\x1b[99;99x",
  "Caps Lock in kitty's protocol": "\x1b[57358u",
  "a click of the mouse": "\x1b[<0;10;10M",
  "the terminal's name for a colour": "\x1b]11;rgb:0000/0000/0000\x07",
};

describe("keys that no question listens to", () => {
  test.each(Object.entries(STRANGE))("C8: %s does nothing at any question", async (_, key) => {
    const { cwd, person } = sit();
    await person.type(/\? Directory ›/, "my", key, "-app", key, KEYS.enter);
    for (const question of [/\? Framework ›/, /\? Session backend ›/, /\? Run npm install now\? ›/]) {
      await person.type(question, key, key, KEYS.enter);
    }
    await person.type(/\? Make a git repository\? ›/, key, "n");
    expect(await person.exit()).toBe(0);
    expect(person.cursorHidden).toBe(false);
    expect(answers(join(cwd, "my-app"))).toMatchObject({ name: "my-app", framework: "alpha", backend: "plain" });
    expect(Object.keys(snapshot(cwd)).filter((path) => /^[^/]+\/$/.test(path))).toEqual(["my-app/"]);
  });

  test("C8: keys of editing and letters of any alphabet still work", async () => {
    const { cwd, person } = sit(["-f", "alpha", "-b", "plain", "--no-install", "--no-git", "--name", "app"]);
    const [left, home, end, remove] = ["\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~"];
    await person.type(/\? Directory ›/, "Xпроектx", left ?? "", remove ?? "", home ?? "", end ?? "", KEYS.enter);
    expect(await person.exit()).toBe(0);
    expect(existsSync(join(cwd, "Xпроект/package.json")), person.seen).toBe(true);
  });
});

describe("pastes", () => {
  const bracketed = (text: string) => `\x1b[200~${text}\x1b[201~`;
  const quick = ["-f", "alpha", "-b", "plain", "--no-install", "--no-git"];

  test.each([
    ["two lines", "two-app\rcd two-app\r"],
    ["two lines without an end", "two-app\rcd two-app"],
    ["lines with line feeds", "two-app\ncd two-app\n"],
    ["two lines, marked as a paste", bracketed("two-app\rcd two-app\r")],
    ["many lines, marked as a paste", bracketed("a\nb\nc\nd\ne\nf\n")],
  ])("C8: %s answer no question", async (_, pasted) => {
    const { cwd, person } = sit(["-b", "plain"]);
    const paste = async (question: RegExp, count: number) => {
      await person.type(question, pasted);
      await person.hears(count);
    };
    await paste(/\? Directory › my-session-app/, 1);
    await person.type(/\? Directory › my-session-app/, "x");
    await person.type(/\? Directory › x$/m, KEYS.enter);
    await paste(/\? Framework ›/, 2);
    await person.type(/\? Framework ›/, KEYS.down);
    await person.type(/❯\s+Beta/, KEYS.enter);
    await paste(/\? Run npm install now\? ›/, 3);
    await person.type(/\? Run npm install now\? ›/, "n");
    await paste(/\? Make a git repository\? ›/, 4);
    await person.type(/\? Make a git repository\? ›/, "n");
    expect(await person.exit()).toBe(0);
    expect(answers(join(cwd, "x"))).toMatchObject({ name: "x", framework: "beta" });
    expect(Object.keys(snapshot(cwd)).filter((path) => /^[^/]+\/$/.test(path))).toEqual(["x/"]);
  });

  test("C8: one line is text; marked as a paste it waits for Enter", async () => {
    const plain = sit(quick);
    await plain.person.type(/\? Directory ›/, "one-app\r");
    expect(await plain.person.exit()).toBe(0);
    expect(answers(join(plain.cwd, "one-app"))).toMatchObject({ name: "one-app" });
    const marked = sit(quick);
    await marked.person.type(/\? Directory ›/, bracketed("one-app\r"));
    await marked.person.type(/\? Directory › one-app$/m, "2", KEYS.enter);
    expect(await marked.person.exit()).toBe(0);
    expect(answers(join(marked.cwd, "one-app2"))).toMatchObject({ name: "one-app2" });
  });

  test("C8: the terminal marks pastes only while questions are asked", async () => {
    for (const key of [KEYS.enter, KEYS.ctrlC]) {
      const { person } = sit(quick);
      await person.type(/\? Directory ›/, key);
      await person.exit();
      expect(person.raw.lastIndexOf("\x1b[?2004l")).toBeGreaterThan(person.raw.lastIndexOf("\x1b[?2004h"));
    }
  });
});

describe("a terminal that nobody sits at", () => {
  test.each(["true", "1", "TRUE", "woodpecker"])(
    "C3: with CI=%s nothing is asked on a pseudo-terminal either",
    async (CI) => {
      const { cwd, person } = sit(["my-app", "-f", "alpha"], { CI });
      expect(await person.exit()).toBe(2);
      expect(person.seen.replace(/\s+/g, " ")).toContain("There is no terminal to ask on. Give --backend,");
      expect(snapshot(cwd)).toEqual({});
    },
  );

  test.each(["", "0", "false"])("C3: with CI=%j somebody is asked", async (CI) => {
    const { person } = sit(["my-app", "-f", "alpha"], { CI });
    await person.type(/\? Session backend ›/, KEYS.escape);
    expect(await person.exit()).toBe(130);
  });
});
