// A process of its own that writes to one session of a SQLite store, until it is killed: for sqlite.test.ts.
// Exit code 3: the session is gone. Change it together with that test.

import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { resolveInOverlay } from "../../../../test/overlay.ts";

registerHooks({
  resolve(specifier, context, next) {
    const importer = context.parentURL?.startsWith("file:") ? fileURLToPath(context.parentURL) : undefined;
    const found = importer === undefined ? undefined : resolveInOverlay(specifier, importer);
    return next(found !== undefined && existsSync(found) ? found : specifier, context);
  },
});

const { createDriver } = await import("../files/src/store/driver.ts");
const [file = "", id = "", name = "", count = ""] = process.argv.slice(2);
const driver = createDriver({ file }, 10_000);

for (let number = 1; number <= Number(count); number++) {
  const change = { now: Math.floor(Date.now() / 1000), set: new Map([[`${name}${number}`, String(number)]]) };
  if ((await driver.change(id, change)) !== "done") process.exit(3);
  process.send?.(number);
}
await driver.close();
process.disconnect();
