// `npm run sessions -- copy`, which moves sessions to another store, once the project has both: this file is then another one.
// Nothing to change here.

export async function copy(_args: string[]): Promise<number> {
  throw new Error(
    "The project has one store only. This gives it another one, and keeps the code of this one for the copy: " +
      "npm create session-app@latest switch -- --backend ID --keep-store",
  );
}
