// How a URL names this store, for `npm run sessions -- copy`: postgres://user:password@host:5432/database
// Change it when the URL should say something that is a variable of its own in settings.ts.

export const schemes = ["postgres:", "postgresql:"];

/** The variables that say the same as the URL; settings.ts reads them together with those of the environment. */
export function variablesOf(url: string): Record<string, string> {
  return { DATABASE_URL: url };
}
