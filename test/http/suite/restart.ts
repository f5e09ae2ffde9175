// What outlives the process: every session in a store.
// Change it when a backend may lose something at a restart.

import { expect, test } from "vitest";
import { expectStatus, guest, program, sessionOf, signedIn, someone, type Target, token, visitor } from "./visitors.ts";

export function restartTests(target: Target): void {
  test.skipIf(!target.restart)("F2: a restart keeps sessions, who is signed in, data and devices", async () => {
    const userid = someone();
    const [here, there, anonymous] = [
      await signedIn(target, userid),
      await signedIn(target, userid),
      await guest(target),
    ];
    const { client: machine, token: secret } = await program(target);
    await here.set("kept", { deep: ["ü", null, { "a.b": 1 }] });
    await machine.set("kept", 1);
    const ended = await signedIn(target, userid);
    const dead = token(ended);
    expectStatus(await ended.post("/logout"), 204);
    const before = (await here.get("/session")).json;

    await target.restart?.();

    expectStatus(await visitor(target).get("/health"), 200);
    const after = (await visitor(target, { cookie: `session=${token(here)}` }).get("/session")).json;
    expect(after).toMatchObject({ id: before.id, userid, created: before.created, data: before.data });
    expect(await sessionOf(target, token(there))).toMatchObject({ userid });
    expect(await sessionOf(target, token(anonymous))).toMatchObject({ userid: null, data: { guest: true } });
    expect(await sessionOf(target, secret)).toMatchObject({ data: { kept: 1 } });
    expect(await sessionOf(target, dead), "what had ended stays ended").toBeUndefined();
    expect((await visitor(target, { cookie: `session=${token(here)}` }).get("/sessions")).json).toHaveLength(2);
  });
}
