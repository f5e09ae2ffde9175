// What the type-checker must accept and refuse in SessionData: scripts/typecheck.ts runs it, nothing else does.
// Add a type that JSON alters.
import type { Json } from "../../runtime/src/session/contract.ts";
import type { Storable } from "../../runtime/src/session/storable.ts";

interface Node {
  name: string;
  children: Node[];
}

interface Fits {
  text?: string;
  count?: number | null;
  list?: readonly { id: number; tags: string[] }[];
  either?: "light" | "dark";
  byKey?: Record<string, number>;
  nested?: { deeper: { still: boolean } };
  tuple?: [number, string];
  tree?: Node;
  anything?: Json;
  unknown?: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: users may have it in their types.
  unchecked?: any;
}

// Each of these would be an error if the type were not accepted.
const fits: Fits = {} satisfies Storable<Fits>;
export const accepted: Storable<Fits> = fits;

class Cart {
  items: string[] = [];
  add(item: string): void {
    this.items.push(item);
  }
}

type Message<Path extends string> = `${Path} in SessionData can't be stored as JSON${string}`;
type Refused<T, Path extends string> = Storable<T> extends Message<Path> ? true : false;

export const refused: true[] = [
  true satisfies Refused<{ when?: Date }, "data.when">,
  true satisfies Refused<{ tags?: Set<string> }, "data.tags">,
  true satisfies Refused<{ cart?: Map<string, number> }, "data.cart">,
  true satisfies Refused<{ big: bigint }, "data.big">,
  true satisfies Refused<{ list?: Date[] }, "data.list[]">,
  true satisfies Refused<{ a?: { b?: { when: Date | null } } }, "data.a.b.when">,
  true satisfies Refused<{ pair?: [number, bigint] }, "data.pair[]">,
  true satisfies Refused<{ byKey?: Record<string, Date> }, `data.byKey.${string}`>,
  true satisfies Refused<{ run?: () => void }, "data.run">,
  true satisfies Refused<{ cart?: Cart }, "data.cart">,
  true satisfies Refused<{ bytes?: Uint8Array }, "data.bytes">,
];
