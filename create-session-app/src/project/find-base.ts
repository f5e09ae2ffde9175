// Gathers the base of a merge: the content of each file as it was generated. Each source is asked only for what is still missing.
// Change it when generated content can be had from somewhere else.
import { decodeText, encodeText, plainText } from "./lines.ts";
import { isGenerated } from "./read-record.ts";
import type { Tree } from "./tree.ts";

/** Gives contents that may be the generated ones; each is checked against the record. */
export type BaseSource = (missing: ReadonlyMap<string, string>) => Promise<Tree> | Tree;

export interface FoundBase {
  base: Map<string, Uint8Array>;
  /** Recorded paths whose generated content is nowhere. */
  missing: string[];
}

/** @param recorded by path, the id of the generated content */
export async function findBase(
  recorded: ReadonlyMap<string, string>,
  sources: readonly BaseSource[],
): Promise<FoundBase> {
  const base = new Map<string, Uint8Array>();
  const missing = new Map(recorded);
  for (const source of sources) {
    if (missing.size === 0) break;
    for (const [path, content] of await source(missing)) {
      const id = missing.get(path);
      const generated = id === undefined ? undefined : asGenerated(content, id);
      if (generated === undefined) continue;
      base.set(path, generated);
      missing.delete(path);
    }
  }
  return { base, missing: [...missing.keys()] };
}

/** Whether the user has left a file as it was generated; line ends don't count. */
export function isUnedited(content: Uint8Array, id: string): boolean {
  return asGenerated(content, id) !== undefined;
}

/** The content, or the content with the line ends that everything is generated with, if that is what was generated. */
function asGenerated(content: Uint8Array, id: string): Uint8Array | undefined {
  if (isGenerated(content, id)) return content;
  const text = decodeText(content);
  if (text === undefined || plainText(text) === text) return undefined;
  const plain = encodeText(plainText(text));
  return isGenerated(plain, id) ? plain : undefined;
}
