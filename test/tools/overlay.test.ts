// The overlay of the packs, which every driver test needs: it finds the right file, or none.
// Change it when another kind of root joins the overlay.

import { join } from "node:path";
import { expect, test } from "vitest";
import { packs, repository } from "../../scripts/packs.ts";
import { resolveInOverlay } from "../overlay.ts";

const inRepository = (...path: string[]) => join(repository, ...path);

test("a backend's file finds the files of the runtime and of the base", () => {
  for (const backend of packs("backends")) {
    const driver = inRepository("templates/backends", backend, "files/src/store/driver.ts");
    expect(resolveInOverlay("../session/contract.ts", driver)).toBe(inRepository("runtime/src/session/contract.ts"));
    expect(resolveInOverlay("../http/environment.ts", driver)).toBe(
      inRepository("templates/base/files/src/http/environment.ts"),
    );
  }
});

test("a backend's file never finds another backend's", () => {
  for (const backend of packs("backends")) {
    const driver = inRepository("templates/backends", backend, "files/src/store/driver.ts");
    // The pack has this file itself, so Vite finds it without the overlay.
    expect(resolveInOverlay("./settings.ts", driver)).toBeUndefined();
  }
});

test("an import that differs from project to project is refused, not guessed", () => {
  const config = inRepository("templates/base/files/src/config.ts");
  expect(() => resolveInOverlay("./store/settings.ts", config)).toThrow(/differs from project to project/);
});

test("packages and files outside of the packs are left to Vite", () => {
  const driver = inRepository("templates/backends/sqlite/files/src/store/driver.ts");
  expect(resolveInOverlay("better-sqlite3", driver)).toBeUndefined();
  expect(resolveInOverlay("./no-such-file.ts", driver)).toBeUndefined();
  expect(resolveInOverlay("./missing.ts", inRepository("test/tools/overlay.test.ts"))).toBeUndefined();
});
