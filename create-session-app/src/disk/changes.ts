// What is to be changed in a directory: the writer's whole input.

export interface NewFile {
  content: Uint8Array;
  mode: number;
}

/** By path below the directory, with forward slashes. Removing a file that isn't there changes nothing. */
export type Changes = ReadonlyMap<string, NewFile | "remove">;
