// The questions as people meet them, in a pseudo-terminal: arrows, typing, corrections, ways out, narrow and colourless screens.
// Change it when a question is added or worded otherwise.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtCli, cloneWithFixtures, programs, temporaryFolder } from "./sandbox.ts";
import { KEYS, Person } from "./screen.ts";
import { snapshot } from "./tree.ts";

const cli = builtCli(cloneWithFixtures());

interface Seat {
  columns?: number;
  env?: Record<string, string>;
}

function sit(parameters: string[] = [], seat: Seat = {}): { cwd: string; person: Person } {
  const cwd = temporaryFolder();
  return { cwd, person: new Person(process.execPath, [cli, ...parameters], { cwd, ...seat }) };
}

function answers(project: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(project, ".session-app.json"), "utf8")).answers;
}

/** What a question looks like while it waits, and what answers it with the default. */
const QUESTIONS = [
  /\? Directory ›/,
  /\? Framework ›/,
  /\? Session backend ›/,
  /\? Run npm install now\? ›/,
  /\? Make a git repository\? ›/,
];

/** Answers with the default until `last` is on the screen. */
async function goTo(person: Person, last: number): Promise<void> {
  for (const question of QUESTIONS.slice(0, last)) await person.type(question, KEYS.enter);
  const question = QUESTIONS[last];
  if (question !== undefined) await person.sees(question);
}

const quick = () => programs({ npm: "exit 0", git: "exit 0" });

describe("answering", () => {
  test("C1: Enter takes the defaults: directory, framework, backend, install, git", async () => {
    const { cwd, person } = sit([], { env: programs({ npm: "touch installed" }) });
    await goTo(person, QUESTIONS.length);
    expect(await person.exit()).toBe(0);
    expect(answers(join(cwd, "my-session-app"))).toMatchObject({
      name: "my-session-app",
      framework: "alpha",
      backend: "plain",
    });
    expect(existsSync(join(cwd, "my-session-app/installed"))).toBe(true);
    expect(existsSync(join(cwd, "my-session-app/.git"))).toBe(true);
    expect(person.seen).toContain("Next:\n\n  cd my-session-app\n  npm run dev\n\nThen open http://localhost:3000");
  });

  test("C1: arrows choose, with a hint for each choice; n says no", async () => {
    const { cwd, person } = sit([], { env: quick() });
    await goTo(person, 1);
    await person.sees("Alpha - the framework alpha, of the tests");
    await person.type(/Framework/, KEYS.down);
    await person.type("Beta - the framework beta, of the tests", KEYS.enter);
    await person.type("Plain - nothing to run", KEYS.up);
    await person.type(/❯\s+Served\s+a server that several processes share/, KEYS.enter);
    await person.type(QUESTIONS[3] ?? "", "n");
    await person.type(QUESTIONS[4] ?? "", "n");
    expect(await person.exit()).toBe(0);
    expect(answers(join(cwd, "my-session-app"))).toMatchObject({ framework: "beta", backend: "served" });
    expect(existsSync(join(cwd, "my-session-app/.git"))).toBe(false);
    expect(person.seen).toContain(
      "  cd my-session-app\n  npm install\n  cp .env.example .env\n  docker compose up -d --wait\n  npm run dev\n",
    );
  });

  test("C1: a name is typed, corrected with backspace, and refused with a reason while it can't be", async () => {
    const { cwd, person } = sit([], { env: quick() });
    await person.type(/Directory/, "~/aux", KEYS.enter);
    await person.type('Only a shell takes "~"', ...Array<string>(5).fill(KEYS.backspace), "aux", KEYS.enter);
    await person.type(
      'Windows reserves the name "aux" for a device.',
      KEYS.backspace,
      KEYS.backspace,
      "pq",
      KEYS.backspace,
      "p",
    );
    await person.type(/Directory › app/, "  ", KEYS.enter);
    await person.type(/\? Framework/, KEYS.enter);
    await person.type(/\? Session backend/, KEYS.enter);
    await person.type(QUESTIONS[3] ?? "", "n");
    await person.type(QUESTIONS[4] ?? "", "n");
    expect(await person.exit()).toBe(0);
    expect(Object.keys(snapshot(cwd)).filter((path) => !path.slice(0, -1).includes("/"))).toEqual(["app/"]);
  });

  test("C1: a directory that gives no package name brings a question for one", async () => {
    const { cwd, person } = sit(["проект", "-f", "alpha", "-b", "plain", "--no-install", "--no-git"]);
    await person.type(/\? Package name/, "Not Good", KEYS.enter);
    await person.type("It has capital letters.", ...Array<string>(8).fill(KEYS.backspace), "project", KEYS.enter);
    expect(await person.exit()).toBe(0);
    expect(answers(join(cwd, "проект"))).toMatchObject({ name: "project" });
  });

  test("C1: what the flags answer is not asked; a wrong flag is said before any question", async () => {
    const { cwd, person } = sit(["my-app", "-f", "beta", "--no-install", "--no-git"]);
    await person.type(/\? Session backend/, KEYS.enter);
    expect(await person.exit()).toBe(0);
    expect(person.seen).not.toMatch(/Directory|Framework|Run npm|git repository\?/);
    expect(answers(join(cwd, "my-app"))).toMatchObject({ framework: "beta", backend: "plain" });
    const wrong = sit(["my-app", "-b", "plan"]);
    expect(await wrong.person.exit()).toBe(2);
    expect(wrong.person.seen).toMatch(/^Unknown backend "plan"\. Did you mean "plain"\?/);
  });

  test("C3: --yes and --json ask nothing at a terminal either", async () => {
    const yes = sit(["my-app", "-y", "--no-install", "--no-git"]);
    expect(await yes.person.exit()).toBe(0);
    const json = sit(["my-app", "--json"]);
    expect(await json.person.exit()).toBe(2);
    expect(json.person.seen).toContain('"code": "USAGE"');
  });
});

describe("leaving", () => {
  const ways = [
    ["Esc", KEYS.escape],
    ["Ctrl-C", KEYS.ctrlC],
    ["Ctrl-D", KEYS.ctrlD],
  ] as const;

  test.each(ways)(
    "C4: %s at any question exits with 130, leaves nothing, and gives the cursor back",
    async (_, key) => {
      for (const index of QUESTIONS.keys()) {
        const { cwd, person } = sit();
        await goTo(person, index);
        await person.type(QUESTIONS[index] ?? "", key);
        expect(await person.exit(), `question ${index}`).toBe(130);
        expect(person.seen).toMatch(/\nCancelled\.$/);
        expect(person.cursorHidden).toBe(false);
        expect(snapshot(cwd)).toEqual({});
      }
    },
  );

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("C4: %s at a question does the same", async (signal) => {
    const { cwd, person } = sit();
    await goTo(person, 1);
    expect(person.cursorHidden).toBe(true);
    process.kill(person.pid, signal);
    expect(await person.exit()).toBe(130);
    expect(person.cursorHidden).toBe(false);
    expect(snapshot(cwd)).toEqual({});
  });

  test("C4 C10: Ctrl-C while installing ends it too; the project is there, and it says how to go on", async () => {
    const { cwd, person } = sit(["my-app", "-y", "--no-git"], { env: programs({ npm: "exec sleep 60" }) });
    await person.type(/⠋|⠙|⠹ Installing with npm/, KEYS.ctrlC);
    expect(await person.exit()).toBe(130);
    expect(person.seen).toMatch(
      /Cancelled\. The project is in .*\n(.*\n)*? {2}cd my-app\n {2}npm install\n {2}npm run dev$/,
    );
    expect(person.seen).not.toContain("Installing with npm");
    expect(existsSync(join(cwd, "my-app/src/main.ts"))).toBe(true);
  });
});

describe("screens", () => {
  test("C1: on 40 columns every choice is whole, and moving about leaves nothing behind", async () => {
    const { person } = sit([], { columns: 40, env: quick() });
    await goTo(person, 2);
    for (let round = 0; round < 3; round++) {
      await person.type(/❯\s+Plain/, KEYS.down);
      await person.type(/❯\s+Served/, KEYS.up);
    }
    await person.type(/❯\s+Plain/, KEYS.down);
    await person.sees("wide");
    const lines = person.seen.split("\n");
    expect(lines.every((line) => line.length <= 40)).toBe(true);
    expect(lines.filter((line) => line.includes("Session backend"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("Plain"))).toHaveLength(1);
    expect(person.seen.replace(/\s+/g, " ")).toContain(
      "a server that several processes share, with a hint that is longer than a narrow terminal is wide",
    );
    await person.type("Served", KEYS.enter);
    await person.type(/Run npm install now/, "n");
    await person.type(/Make a git repository/, "n");
    expect(await person.exit()).toBe(0);
    expect(person.seen).toContain("  npm run dev\n");
  });

  test("C10: the spinner stays on one line of a narrow terminal, and is gone at the end", async () => {
    const { person } = sit(["my-app", "-y", "--no-git"], { columns: 20, env: programs({ npm: "sleep 1" }) });
    await person.sees("Installing with");
    expect(await person.exit()).toBe(0);
    expect(person.seen).not.toContain("Installing");
    expect(person.seen).toMatch(/Installed with npm/);
  });

  // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what it looks for.
  const COLOUR = /\x1b\[(3\d|9\d|4\d)m/;

  test("C8: colours on a terminal; none with NO_COLOR", async () => {
    const coloured = sit([], { env: quick() });
    await goTo(coloured.person, QUESTIONS.length);
    expect(await coloured.person.exit()).toBe(0);
    expect(coloured.person.raw).toMatch(COLOUR);
    const plain = sit([], { env: { ...quick(), NO_COLOR: "1" } });
    await goTo(plain.person, QUESTIONS.length);
    expect(await plain.person.exit()).toBe(0);
    expect(plain.person.raw).not.toMatch(COLOUR);
    expect(plain.person.seen).toBe(coloured.person.seen);
  });
});
