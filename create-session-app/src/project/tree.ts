/** Files by path, with forward slashes. */
export type Tree = ReadonlyMap<string, Uint8Array>;
