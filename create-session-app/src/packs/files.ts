// The files that projects are made of: in a clone where they lie in the repository, in the published package in one archive.
// Change it when the archive gets another form; build.ts writes it by `archiveOf`.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";

/** Paths have forward slashes and begin at the top of the repository: "templates/base/files/LICENSE". */
export interface PackFiles {
  /** The paths of all files below a folder, in the order of their names; none when it doesn't exist. */
  list(folder: string): string[];
  /** undefined: there is no such file. */
  read(path: string): Buffer | undefined;
}

/** The files in the folders of a clone. */
export function filesInFolders(root: string): PackFiles {
  const list = (folder: string): string[] => {
    if (!existsSync(join(root, folder))) return [];
    return readdirSync(join(root, folder), { withFileTypes: true })
      .flatMap((entry) => {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return entry.name === "node_modules" ? [] : list(path);
        return entry.isFile() && entry.name !== ".DS_Store" ? [path] : [];
      })
      .sort();
  };
  return {
    list,
    read: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path)) : undefined),
  };
}

/*
  The archive is a line of JSON, which has each file's length by its path, and the bytes of the files in that order; all of it compressed
  by Brotli. Packs resemble each other over larger distances than the 32 kB that npm's own compression looks back.
*/

export function archiveOf(paths: readonly string[], contentOf: (path: string) => Buffer): Buffer {
  const contents = paths.map(contentOf);
  const lengths = Object.fromEntries(paths.map((path, index) => [path, contents[index]?.length]));
  return brotliCompressSync(Buffer.concat([Buffer.from(`${JSON.stringify(lengths)}\n`), ...contents]));
}

/** The files in the archive of the published package. */
export function filesInArchive(file: string): PackFiles {
  // By default it decompresses into many small pieces, which takes twice the time.
  const bytes = brotliDecompressSync(readFileSync(file), { chunkSize: 1 << 20 });
  let start = bytes.indexOf("\n") + 1;
  const contents = new Map<string, Buffer>();
  for (const [path, length] of Object.entries<number>(JSON.parse(bytes.toString("utf8", 0, start)))) {
    contents.set(path, bytes.subarray(start, start + length));
    start += length;
  }
  const paths = [...contents.keys()];
  return {
    list(folder) {
      const start = `${folder}/`;
      return paths.filter((path) => path.startsWith(start));
    },
    read: (path) => contents.get(path),
  };
}
