// The overlay of the packs, on which every driver test stands: the right file, or none.
// Change it when another kind of root joins the overlay.

import { join } from "node:path";
import { expect, test } from "vitest";
import { packs, repository } from "../../scripts/packs.ts";
import { resolveInOverlay } from "../overlay.ts";

const inRepository = (...path: string[]) => join(repository, ...path);

test("a backend's file finds the runtime's and the base's", () => {
  for (const backend of packs("backends")) {
    const driver = inRepository("templates/backends", backend, "files/src/store/driver.ts");
    expect(resolveInOverlay("../session/contract.ts", driver)).toBe(inRepository("runtime/src/session/contract.ts"));
    expect(resolveInOverlay("../http/environment.ts", driver)).toBe(
      inRepository("templates/base/files/src/http/environment.ts"),
    );
  }
});

test("a backend's file never gets another backend's", () => {
  for (const backend of packs("backends")) {
    const driver = inRepository("templates/backends", backend, "files/src/store/driver.ts");
    // Its own is there, and Vite finds it as it stands.
    expect(resolveInOverlay("./settings.ts", driver)).toBeUndefined();
  }
});

test("what differs from project to project is refused, not guessed", () => {
  const config = inRepository("templates/base/files/src/config.ts");
  expect(() => resolveInOverlay("./store/settings.ts", config)).toThrow(/differs from project to project/);
});

test("packages, and files elsewhere, are none of its business", () => {
  const driver = inRepository("templates/backends/sqlite/files/src/store/driver.ts");
  expect(resolveInOverlay("better-sqlite3", driver)).toBeUndefined();
  expect(resolveInOverlay("./no-such-file.ts", driver)).toBeUndefined();
  expect(resolveInOverlay("./missing.ts", inRepository("test/tools/overlay.test.ts"))).toBeUndefined();
});
