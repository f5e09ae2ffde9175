// The address that limits count by, in every framework: that of the request, wherever its session was begun.
// Change it when the example hands something else to authenticate.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";
import { expectStatus, signIn, type Target, visitor } from "./suite/visitors.ts";

/** As its user may write it. It responds with the address that it was given. */
const AUTHENTICATE = `
import type { Config } from "./config.ts";
export interface Attempt { userid: string; password: string; ipaddress: string }
export const authenticate = async ({ ipaddress }: Attempt, _config: Config): Promise<string | null> => ipaddress;
export const isDemo = (_config: Config): boolean => false;
`;

const from = (address: string) => ({ headers: { "x-forwarded-for": address } });

describe.each(packs("frameworks"))("%s", (framework) => {
  let folder: string;
  let project: Project;
  const target: Target = { name: framework, url: () => project.url, persistent: false };

  beforeAll(async () => {
    folder = await assemble({ framework, backend: "memory" }, "client-address");
    await writeFile(join(folder, "src", "authenticate.ts"), AUTHENTICATE);
  });
  afterAll(() => project.stop());

  test("S16 S22: a trusted proxy reports it, for sessions that were begun elsewhere too, and nobody else does", async () => {
    project = new Project(folder, { SESSION_TRUST_PROXY: "127.0.0.1,::1" });
    await project.start();
    const moved = visitor(target);
    expectStatus(await moved.set("a", 1, from("203.0.113.7")), 200);
    const attempt = { json: { userid: "ada", password: "demo" } };
    for (const address of ["203.0.113.8", "2001:db8::1"]) {
      expect((await moved.post("/login", { ...attempt, ...from(address) })).json.userid).toBe(address);
    }
    const guest = await visitor(target).post("/login", { ...attempt, ...from("203.0.113.9") });
    expect(guest.json.userid).toBe("203.0.113.9");
    // What the list of devices shows stays the address of the first request.
    expect((await moved.get("/session", from("203.0.113.8"))).json.ipaddress).toBe("203.0.113.7");
    await project.stop();

    project = new Project(folder);
    await project.start();
    const forged = visitor(target, { "x-forwarded-for": "203.0.113.7" });
    expect((await signIn(forged, "ada")).json.userid).toMatch(/^(127\.0\.0\.1|::1)$/);
  });
});
