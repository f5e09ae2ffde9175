// What --minimal leaves out: the example, which is a few folders and one line of src/main.ts.
// Change it together with the layout of the packs.

const EXAMPLE = /^(src\/example|test\/example|public)\/|^src\/authenticate\.ts$/;

/** The file that names the example, in one line. */
export const MAIN = "src/main.ts";

/** Whether a file belongs to the example. */
export function isExample(path: string): boolean {
  return EXAMPLE.test(path);
}

/** src/main.ts without the line that names the example. */
export function withoutExample(main: string, origin: string): string {
  const lines = main.split("\n");
  const others = lines.filter((line) => !line.includes('"./example/'));
  const named = lines.length - others.length;
  if (named !== 1) throw new Error(`${MAIN} of ${origin} must name "./example/ in one line, not in ${named}.`);
  return others.join("\n");
}
