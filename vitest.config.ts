// How the tests are grouped and run: one project for each folder under test/.
// Change it to add a group of tests, or to give a group more time.

import { defineConfig } from "vitest/config";
import { overlay } from "./test/overlay.ts";

const SECOND = 1000;

/** Each group of tests, with the seconds that one of its tests may take. */
const groups = {
  tools: 120,
  runtime: 60,
  generator: 60,
  drivers: 60,
  http: 120,
  faults: 180,
  browser: 120,
  projects: 600,
  recipes: 300,
};

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    globalSetup: "./test/servers/global.ts",
    projects: Object.entries(groups).map(([name, seconds]) => ({
      plugins: [overlay()],
      test: {
        name,
        include: [
          `test/${name}/**/*.test.ts`,
          // Tests of one backend lie in its pack, so that removing the folder removes them too.
          ...(name === "drivers" ? ["templates/backends/*/test/*.test.ts"] : []),
        ],
        testTimeout: seconds * SECOND,
        hookTimeout: Math.max(seconds, 120) * SECOND,
        teardownTimeout: 30 * SECOND,
      },
    })),
  },
});
