// `update` where both sides have changed a file that isn't text.
// Change it when such a conflict should be shown in another way.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Version } from "./versions.ts";

const PICTURE = "public/picture.png";
const bytes = (last: number) => Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, last]);

test("L3: the user's file stays, this version's is put beside it, and the update waits until that is gone", async () => {
  const first = new Version("0.3.0");
  writeFileSync(join(first.root, "templates/base/files", PICTURE), bytes(1));
  const second = new Version("0.4.0", first);
  writeFileSync(join(second.root, "templates/base/files", PICTURE), bytes(2));
  const project = await first.create(["-f", "express", "-b", "sqlite", "--pm", "pnpm"]);
  const picture = join(project.root, PICTURE);
  writeFileSync(picture, bytes(3));
  project.commit();

  const update = (...flags: string[]) => second.run(["update", "--no-install", ...flags], project.root);
  const { code, stderr } = await update();
  expect(code).toBe(1);
  expect(stderr).toBe(`1 file has conflicts:
  public/picture.png (this version's: public/picture.png.create-session-app)
Take what you want from files that end in ".create-session-app", and delete them.
Then: pnpm create session-app@0.4.0 update --continue
`);
  expect(readFileSync(picture)).toEqual(bytes(3));
  expect(readFileSync(`${picture}.create-session-app`)).toEqual(bytes(2));

  expect(await update("--continue")).toMatchObject({ code: 1, stderr: expect.stringContaining("picture.png (this") });
  project.remove(`${PICTURE}.create-session-app`);
  expect((await update("--continue")).code).toBe(0);
  expect(readFileSync(picture)).toEqual(bytes(3));
  expect(existsSync(`${picture}.create-session-app`)).toBe(false);
  expect(project.record).toMatchObject({ version: "0.4.0" });
});
