// A start that can't work says in one line which setting to change.
// Add what a user's machine may have set by accident.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { command } from "./stranger.ts";

describe.each(packs("frameworks"))("%s", (framework) => {
  let folder: string;

  beforeAll(async () => {
    folder = await assemble({ framework, backend: "memory" }, "start");
  });

  async function refused(env: Record<string, string>): Promise<string> {
    const { code, output } = await command(folder, [process.execPath, "src/main.ts"], { PORT: "0", ...env });
    expect(code, output).toBe(1);
    const lines = output.trim().split("\n");
    expect(lines, output).toHaveLength(1);
    return lines[0] ?? "";
  }

  // conda sets HOST to the name of its compilers' target.
  test.each(["x86_64-conda-linux-gnu", "192.0.2.1"])(
    "P3: HOST=%s, where the app can't listen, is named",
    async (host) => {
      expect(await refused({ HOST: host })).toContain(`HOST "${host}"`);
    },
  );

  test("P3: a port in use is named", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    expect(await refused({ HOST: "127.0.0.1", PORT: String(port) })).toMatch(new RegExp(`^Port ${port} .*\\bPORT\\b`));
  });
});
