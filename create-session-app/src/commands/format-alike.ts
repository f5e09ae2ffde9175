// Formats what was generated as the user formats their project, where a merge would have conflicts for that alone.
// Change it when texts should be made alike in another way.
import type { Report } from "../command-line/report.ts";
import type { Formatter } from "../programs/formatters.ts";
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
  const left = new Set(files);
  for (const { name, format } of formattersOf(directory, signal)) {
    for (const file of left) {
      signal.throwIfAborted();
      try {
        const texts = await formattedTexts(file, format);
        // What it leaves as it is may be another one's affair: many a project has Biome only as a linter.
        if (texts.size === 0) continue;
        for (const [content, text] of texts) formatted.set(content, text);
        left.delete(file);
      } catch (error) {
        signal.throwIfAborted();
        failed.set(name, error);
      }
    }
  }
  for (const [name, error] of failed)
    report.note(`${name} failed, so files are merged as they are: ${firstLine(error)}`);
  return formatted;
}

/** Empty where the formatter changes nothing. */
async function formattedTexts(
  { path, generated }: ChangedByBoth,
  format: Formatter["format"],
): Promise<Map<Uint8Array, Uint8Array>> {
  const texts = new Map<Uint8Array, Uint8Array>();
  let isChanged = false;
  for (const content of generated) {
    const asGenerated = decodeText(content);
    const text = asGenerated && (await format(path, asGenerated));
    if (!text?.trim()) return new Map();
    texts.set(content, encodeText(text));
    isChanged ||= text !== asGenerated;
  }
  return isChanged ? texts : new Map();
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? "";
}
