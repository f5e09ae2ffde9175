// How a URL names this store, for `npm run sessions -- copy`: sqlite:./data/sessions.db
// Change it when the URL should say something that is a variable of its own in settings.ts.

export const schemes = ["sqlite:"];

/** The variables that say the same as the URL; settings.ts reads them together with those of the environment. */
export function variablesOf(url: string): Record<string, string> {
  return { SQLITE_FILE: url.replace(/^sqlite:(\/\/)?/, "") };
}
