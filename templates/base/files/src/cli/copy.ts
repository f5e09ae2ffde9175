// Says how to get `npm run sessions -- copy`, which moves live sessions to another store.
// Nothing to change here: `switch --keep-store` puts the command itself in the place of this file.

export async function copy(_args: string[]): Promise<number> {
  throw new Error(
    "The project has one store only. Unless that is memory, whose sessions end with the app, " +
      "this gives it another one, and keeps the code of this one for the copy: " +
      "npm create session-app@latest switch -- --backend ID --keep-store",
  );
}
