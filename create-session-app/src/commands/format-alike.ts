// Formats what was generated as the user formats their project, where a merge would have conflicts for that alone.
// Change it when texts should be made alike in another way.
import type { Report } from "../command-line/report.ts";
import { decodeText, encodeText } from "../project/lines.ts";
import type { ChangedByBoth } from "../project/merge.ts";

/** By content, how the user's formatter writes it. Empty without a formatter. */
export async function formatAlike(
  files: readonly ChangedByBoth[],
  directory: string,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<Map<Uint8Array, Uint8Array>> {
  const formatted = new Map<Uint8Array, Uint8Array>();
  if (files.length === 0) return formatted;
  const { formattersOf } = await import("../programs/formatters.ts");
  const failed = new Map<string, unknown>();
  for (const { name, format } of await formattersOf(directory, signal)) {
    for (const { path, generated } of files) {
      for (const content of generated.filter((content) => !formatted.has(content))) {
        const asGenerated = decodeText(content);
        if (asGenerated === undefined) continue;
        try {
          const text = await format(path, asGenerated);
          if (text?.trim()) formatted.set(content, encodeText(text));
        } catch (error) {
          signal.throwIfAborted();
          failed.set(name, error);
        }
      }
    }
  }
  for (const [name, error] of failed)
    report.note(`${name} failed, so files are merged as they are: ${firstLine(error)}`);
  return formatted;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? "";
}
