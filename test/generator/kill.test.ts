// Atomicity by force: runs that are killed, and the tree before and after, byte for byte.
// Change it when writing to the disk changes; every single change to the disk is interrupted here.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { countChanges, interfere as disturb, forEach, MINUTES, upTo } from "./kills.ts";
import type { Finished } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const cli = builtCli(cloneWithFixtures());
const CHOICE = ["-f", "alpha", "-b", "plain", "--no-install", "--no-git"];
const NEW = ["app", ...CHOICE];
const INTO = [...NEW, "--overwrite"];

function run(cwd: string, parameters: string[]): Promise<Finished> {
  return runCli(cli, parameters, { cwd });
}

function interfere(cwd: string, parameters: string[], interference: object, count?: string): Promise<Finished> {
  return disturb(cli, cwd, parameters, interference, count);
}

/** A directory with the user's own files, two of which the project would replace. */
function inhabited(): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, "app/src"), { recursive: true });
  mkdirSync(join(cwd, "app/notes"));
  writeFileSync(join(cwd, "app/README.md"), "my own\n", { mode: 0o600 });
  writeFileSync(join(cwd, "app/src/main.ts"), "my own\n");
  writeFileSync(join(cwd, "app/src/mine.ts"), "my own\n");
  writeFileSync(join(cwd, "app/notes/secret.txt"), "my own\n", { mode: 0o400 });
  return cwd;
}

const generated = temporaryFolder();

beforeAll(async () => {
  expect((await run(generated, NEW)).code).toBe(0);
  writeFileSync(join(generated, "app/README.md"), "my own\n");
});

/** A project that was generated before. All but one of its files are what the next run would write in their place. */
function inhabitedByProject(): string {
  const cwd = temporaryFolder();
  cpSync(generated, cwd, { recursive: true });
  return cwd;
}

const INHABITED = [
  ["with other files", inhabited],
  ["with an older project", inhabitedByProject],
] as const;

/** What a run that nobody interrupts leaves, and how many changes to the disk it takes. */
async function undisturbed(cwd: string, parameters: string[]) {
  const changes = await countChanges(cli, cwd, parameters);
  return { after: snapshot(cwd), changes };
}

/** What a killed run leaves beside a new directory; the next run removes it. */
function withoutStage(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !path.startsWith(".app.create-session-app/")));
}

describe("a new directory", () => {
  test("C5: SIGKILL before any single change leaves the whole directory or none; the next run succeeds", {
    timeout: 10 * MINUTES,
  }, async () => {
    const { after, changes } = await undisturbed(temporaryFolder(), NEW);
    expect(changes).toBeGreaterThan(15);
    await forEach(upTo(changes), async (at) => {
      const cwd = temporaryFolder();
      const killed = await interfere(cwd, NEW, { at, signal: "SIGKILL" });
      expect(killed.signal, `change ${at}`).toBe("SIGKILL");
      const left = withoutStage(snapshot(cwd));
      const appeared = Object.keys(left).length > 0;
      expect(left, `change ${at}`).toEqual(appeared ? after : {});
      const next = await run(cwd, appeared ? INTO : NEW);
      expect(next.code, `change ${at}: ${next.stderr}`).toBe(0);
      expect(snapshot(cwd), `change ${at}`).toEqual(after);
    });
  });

  test("C4 C5: SIGINT and SIGTERM at any change leave nothing, and exit with 130", {
    timeout: 10 * MINUTES,
  }, async () => {
    const { after, changes } = await undisturbed(temporaryFolder(), NEW);
    await forEach(upTo(changes), async (at) => {
      const cwd = temporaryFolder();
      const signal = at % 2 === 0 ? "SIGINT" : "SIGTERM";
      const { code, stderr } = await interfere(cwd, NEW, { at, signal });
      expect([code, snapshot(cwd)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [130, {}]);
      if (code === 130) expect(stderr).toBe("Cancelled.\n");
    });
  });
});

describe("an existing directory", () => {
  test.each(INHABITED)(
    "C5 C6: %s, after SIGKILL before any single change, the next run undoes it, byte for byte, or finishes it",
    {
      timeout: 10 * MINUTES,
    },
    async (_, inhabited) => {
      const before = snapshot(inhabited());
      const { after, changes } = await undisturbed(inhabited(), INTO);
      expect(changes).toBeGreaterThan(40);
      await forEach(upTo(changes), async (at) => {
        const cwd = inhabited();
        expect((await interfere(cwd, INTO, { at, signal: "SIGKILL" })).signal, `change ${at}`).toBe("SIGKILL");
        // Without --overwrite it takes back what was half done, and then sees the user's files in the way.
        const next = await run(cwd, NEW);
        expect(next.code, `change ${at}`).toBe(1);
        const whole =
          /all files were in place/.test(next.stderr) || JSON.stringify(snapshot(cwd)) === JSON.stringify(after);
        expect(snapshot(cwd), `change ${at}`).toEqual(whole ? after : before);
        expect(next.stderr, `change ${at}`).toContain("paths are in the way");
        expect((await run(cwd, INTO)).code).toBe(0);
        expect(snapshot(cwd), `change ${at}`).toEqual(after);
      });
    },
  );

  test.each(INHABITED)(
    "C4 C5: %s, SIGINT and SIGTERM at any change leave it as it was, and exit with 130",
    {
      timeout: 10 * MINUTES,
    },
    async (_, inhabited) => {
      const before = snapshot(inhabited());
      const { after, changes } = await undisturbed(inhabited(), INTO);
      await forEach(upTo(changes), async (at) => {
        const cwd = inhabited();
        const { code, stderr } = await interfere(cwd, INTO, { at, signal: at % 2 === 0 ? "SIGINT" : "SIGTERM" });
        expect([code, snapshot(cwd)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [130, before]);
      });
    },
  );

  test.each(INHABITED)(
    "C5 C6: %s, a disk that is full from any change on leaves it as it was",
    {
      timeout: 10 * MINUTES,
    },
    async (_, inhabited) => {
      const before = snapshot(inhabited());
      const { after, changes } = await undisturbed(inhabited(), INTO);
      await forEach(upTo(changes), async (at) => {
        const cwd = inhabited();
        const { code, stderr } = await interfere(cwd, INTO, { at, full: true });
        expect([code, snapshot(cwd)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [1, before]);
        if (code === 1) expect(stderr).toMatch(/^Can't write to ".*app": no space is left on the device\.\n$/);
      });
    },
  );

  test.each(INHABITED)(
    "C5 C6: %s, SIGKILL before any single change of the run that undoes is undone by the next",
    {
      timeout: 10 * MINUTES,
    },
    async (_, inhabited) => {
      const before = snapshot(inhabited());
      const killed = async () => {
        const cwd = inhabited();
        await interfere(cwd, INTO, { before: "linkSync .*src/store/driver.ts", signal: "SIGKILL" });
        return cwd;
      };
      const count = join(temporaryFolder(), "count");
      expect((await interfere(await killed(), NEW, {}, count)).code).toBe(1);
      await forEach(upTo(Number(readFileSync(count, "utf8"))), async (at) => {
        const cwd = await killed();
        expect((await interfere(cwd, NEW, { at, signal: "SIGKILL" })).signal, `change ${at}`).toBe("SIGKILL");
        const { stderr } = await run(cwd, NEW);
        expect(stderr, `change ${at}`).toContain("paths are in the way");
        expect(snapshot(cwd), `change ${at}: ${stderr}`).toEqual(before);
      });
    },
  );

  test("C5: of two runs that find a dead one's stage, one takes it, and the other leaves that one alone", async () => {
    const cwd = inhabited();
    const { after } = await undisturbed(inhabited(), INTO);
    await interfere(cwd, INTO, { before: "writeFileSync .*new.3", signal: "SIGKILL" });
    const until = (file: string) => `until [ -e ${cwd}/${file} ]; do sleep 0.02; done`;
    const stopped = { before: "linkSync .*src/main.ts", script: `touch ${cwd}/halted; ${until("go")}` };
    const other = `cd ${cwd} && INTERFERENCE='${JSON.stringify(stopped)}' ${process.execPath} ${cli} ${INTO.join(" ")}`;
    const first = await interfere(cwd, INTO, {
      before: "(renameSync|rmSync) .*create-session-app",
      script: `(${other} > second.txt 2>&1; echo $? > ended) > /dev/null 2>&1 & ${until("halted")}`,
    });
    writeFileSync(join(cwd, "go"), "");
    await expect.poll(() => existsSync(join(cwd, "ended")), { timeout: MINUTES }).toBe(true);
    expect(first).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Another run is writing to .*\n$/) });
    expect(readFileSync(join(cwd, "ended"), "utf8"), readFileSync(join(cwd, "second.txt"), "utf8")).toBe("0\n");
    const left = Object.entries(snapshot(cwd)).filter(([path]) => path.startsWith("app/"));
    expect(Object.fromEntries(left)).toEqual(after);
  });

  test("C5: in a container, where every run has the same number, a dead run is not taken for another one", async () => {
    const cwd = inhabited();
    await interfere(cwd, INTO, { before: "linkSync .*src/main.ts", signal: "SIGKILL", pid: 1 });
    const { code, stderr } = await interfere(cwd, INTO, { pid: 1 });
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("An earlier run was killed while moving files in");
  });

  test("C5: what the user changed after the run was killed is kept, and named", async () => {
    const cwd = inhabited();
    await interfere(cwd, INTO, { before: "linkSync .*src/store/driver.ts", signal: "SIGKILL" });
    writeFileSync(join(cwd, "app/README.md"), "changed since\n");
    const { code, stderr } = await run(cwd, NEW);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /An earlier run was killed while moving files in; \d+ of 19 files had been moved, and were taken back\./,
    );
    expect(stderr).toContain('"README.md" has been changed since, and was kept.');
    expect(readFileSync(join(cwd, "app/README.md"), "utf8")).toBe("changed since\n");
    expect(readFileSync(join(cwd, "app/README.md.before"), "utf8")).toBe("my own\n");
    expect(readFileSync(join(cwd, "app/src/main.ts"), "utf8")).toBe("my own\n");
  });

  test("C5: --dry-run says that a run was killed half way, and touches nothing", async () => {
    const cwd = inhabited();
    await interfere(cwd, INTO, { before: "linkSync .*src/store/driver.ts", signal: "SIGKILL" });
    const before = snapshot(cwd);
    const { stderr } = await run(cwd, [...INTO, "--dry-run"]);
    expect(stderr).toContain("An earlier run was killed half way");
    expect(snapshot(cwd)).toEqual(before);
  });

  test("C5: a second run for the same target doesn't disturb one at work", async () => {
    const cwd = inhabited();
    const other = `cd ${cwd} && ${process.execPath} ${cli} ${INTO.join(" ")} > second.txt 2>&1; echo $? >> second.txt`;
    const first = await interfere(cwd, INTO, {
      before: "linkSync .*src/main.ts",
      script: `unset NODE_OPTIONS; ${other}`,
    });
    expect(first.code).toBe(0);
    expect(readFileSync(join(cwd, "second.txt"), "utf8")).toMatch(/^Another run is writing to .*\n1\n$/);
  });
});

describe("random moments", () => {
  test("C4 C5: 50 kills by SIGINT, SIGTERM and SIGKILL, anywhere between start and end", {
    timeout: 10 * MINUTES,
  }, async () => {
    const before = snapshot(inhabited());
    const started = performance.now();
    const { after } = await undisturbed(inhabited(), INTO);
    const duration = performance.now() - started;
    const kills = upTo(50).map((number) => ({
      signal: (["SIGINT", "SIGTERM", "SIGKILL"] as const)[number % 3] ?? "SIGKILL",
      delay: Math.random() * duration,
    }));
    const origin = inhabited();
    await forEach(kills, async ({ signal, delay }) => {
      const cwd = temporaryFolder();
      cpSync(origin, cwd, { recursive: true });
      const onStart = (child: { kill(signal: NodeJS.Signals): void }) =>
        void setTimeout(() => child.kill(signal), delay);
      const finished = await runCli(cli, INTO, { cwd, onStart });
      const context = `${signal} after ${delay.toFixed(1)} of ${duration.toFixed(1)} ms: ${finished.stderr}`;
      if (finished.signal === null) expect([0, 130], context).toContain(finished.code);
      else expect(finished.signal, context).toBe(signal);
      if (signal === "SIGKILL") {
        expect((await run(cwd, INTO)).code, context).toBe(0);
        expect(snapshot(cwd), context).toEqual(after);
        return;
      }
      // Node listens from the run's first step until it leaves: before and after that, a signal ends the process as it ends
      // any other, and with nothing moved or all of it.
      const left = snapshot(cwd);
      const whole = finished.code === 0 || (finished.signal !== null && left["app/.session-app.json"] !== undefined);
      expect(left, context).toEqual(whole ? after : before);
    });
  });
});
