// Any history of requests of a browser and a thief with its old tokens, against a model of what a session is.
// Add a step for everything new that a handler can ask of a session.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Session } from "../../runtime/src/session/session.ts";
import { dataOf, open, Visitor } from "./visitor.ts";

/** What the session should be; null while there is none. */
interface Model {
  data: Map<string, unknown>;
  userid: string | null;
}

type Step =
  | { kind: "set"; key: string; value: unknown }
  | { kind: "remove"; key: string }
  | { kind: "update"; key: string; by: number }
  | { kind: "signIn"; userid: string }
  | { kind: "assign"; userid: string | null }
  | { kind: "renew" }
  | { kind: "destroy" }
  | { kind: "endFromElsewhere" };

const key = fc.constantFrom("a", "b", "__proto__", "c.d");
const userid = fc.constantFrom("ann", "bob");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    key,
    value: fc.oneof(fc.integer(), fc.array(fc.boolean(), { maxLength: 2 })),
  }),
  fc.record({ kind: fc.constant("remove" as const), key }),
  fc.record({ kind: fc.constant("update" as const), key, by: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("signIn" as const), userid }),
  fc.record({ kind: fc.constant("assign" as const), userid: fc.option(userid) }),
  fc.record({
    kind: fc.constantFrom("renew" as const, "destroy" as const, "endFromElsewhere" as const),
  }),
);

describe.each(["memory", "sqlite"])("%s", (backend) => {
  test("S10 S11 S13 S14 S22: any history of set, remove, update, sign-in, renew and end gives what the model gives", async () => {
    const app = await open(backend);
    if (app === undefined) throw new Error("neither needs a server");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const visitor = new Visitor(app);
        const stolen = new Set<string>();
        let model: Model | null = null;
        for (const each of steps) {
          model = expected(model, each);
          await visitor.visit((session) => act(session, each));
          const seen = await visitor.visit((session) => (session.exists ? view(session) : null));
          expect(seen.error).toBeUndefined();
          expect(seen.result).toEqual(model && viewOf(model));
          for (const token of stolen) {
            if (token === visitor.token) continue;
            expect((await new Visitor(app, token).visit((session) => session.exists)).result).toBe(false);
          }
          if (visitor.token !== undefined) stolen.add(visitor.token);
        }
      }),
      { numRuns: 150 },
    );

    async function act(session: Session, each: Step): Promise<void> {
      if (each.kind === "set") dataOf(session)[each.key] = each.value;
      if (each.kind === "remove") delete dataOf(session)[each.key];
      if (each.kind === "update") {
        await session.update((data) => {
          const values = data as Record<string, unknown>;
          values[each.key] = (typeof values[each.key] === "number" ? (values[each.key] as number) : 0) + each.by;
        });
      }
      if (each.kind === "signIn") await session.signIn(each.userid);
      if (each.kind === "assign") session.userid = each.userid;
      if (each.kind === "renew") await session.renew();
      if (each.kind === "destroy") await session.destroy();
      if (each.kind === "endFromElsewhere" && session.exists) await app?.sessions.end(session.id ?? "");
    }
  });
});

function ends({ kind }: Step): boolean {
  return kind === "destroy" || kind === "endFromElsewhere";
}

function expected(model: Model | null, each: Step): Model | null {
  const now: Model = model ?? { data: new Map(), userid: null };
  if (each.kind === "set") return { ...now, data: new Map(now.data).set(each.key, each.value) };
  if (each.kind === "remove") {
    const data = new Map(now.data);
    data.delete(each.key);
    return model && { ...now, data };
  }
  if (each.kind === "update") {
    const old = now.data.get(each.key);
    return { ...now, data: new Map(now.data).set(each.key, (typeof old === "number" ? old : 0) + each.by) };
  }
  if (each.kind === "signIn") return { ...now, userid: each.userid };
  if (each.kind === "assign") return model === null && each.userid === null ? null : { ...now, userid: each.userid };
  return ends(each) ? null : model;
}

function view(session: Session): unknown {
  return { userid: session.userid, data: Object.entries(session.data).sort(byKey) };
}

function viewOf({ userid, data }: Model): unknown {
  return { userid, data: [...data].sort(byKey) };
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
