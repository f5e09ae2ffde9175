// A directory as a value: every path with its kind, mode and bytes, so that two moments can be compared.
// Change it when another property of a file matters.
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export function snapshot(directory: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  if (prefix === "" && !existsSync(directory)) return found;
  for (const name of readdirSync(join(directory, prefix)).sort()) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const full = join(directory, path);
    const stats = lstatSync(full);
    const mode = (stats.mode & 0o777).toString(8);
    if (stats.isDirectory()) {
      found[`${path}/`] = mode;
      Object.assign(found, snapshot(directory, path));
    } else if (stats.isSymbolicLink()) found[path] = `-> ${readlinkSync(full)}`;
    else found[path] = `${mode} ${createHash("sha256").update(readFileSync(full)).digest("hex")}`;
  }
  return found;
}
