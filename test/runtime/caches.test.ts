// What a response that depends on a session tells shared caches.
// Add a row for another Cache-Control that handlers set.
import { describe, expect, test } from "vitest";
import { keepPrivate } from "../../runtime/src/session/response-headers.ts";

describe("S23: shared caches", () => {
  test.each([
    [undefined, true, "no-store"],
    [undefined, false, "private"],
    ["public, max-age=0", true, "no-store"],
    ["public, max-age=0", false, "private"],
    ["public, max-age=7", true, "private, max-age=7"],
    ["max-age=5", true, "private, max-age=5"],
    ["PUBLIC, s-maxage=60, immutable", true, "private, immutable"],
    ["private, max-age=9", true, "private, max-age=9"],
    ["no-store", true, "no-store"],
    ["public, max-age=60", false, "public, max-age=60"],
  ])("S23: Cache-Control %s, with a token: %s, becomes %s", (given, carriesToken, expected) => {
    const headers = new Map(given === undefined ? [] : [["cache-control", given]]);
    keepPrivate(
      {
        get: (name) => headers.get(name),
        set: (name, value) => headers.set(name, value),
        remove: (name) => headers.delete(name),
        appendCookie() {},
      },
      carriesToken,
    );
    expect(headers.get("cache-control")).toBe(expected);
  });
});
