// The page that browsers get when something went wrong.
// Reword the titles here; errors.ts decides on status and message.
import { existsSync } from "node:fs";
import { html } from "./html.ts";

const TITLES: Record<number, string> = {
  400: "That could not be read",
  401: "Please sign in",
  403: "Not allowed",
  404: "There is nothing here",
  413: "Too large",
  422: "That does not fit",
  501: "Not set up yet",
  503: "Back in a moment",
};

/** Without a style sheet the page is plain, and complete. */
const hasStyleSheet = existsSync(new URL("../../public/style.css", import.meta.url));

export function errorPage(status: number, message: string): string {
  const title = TITLES[status] ?? (status < 500 ? "That did not work" : "Something went wrong");
  return `<!doctype html>\n${html`<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    ${hasStyleSheet && html`<link rel="stylesheet" href="/style.css">`}
  </head>
  <body>
    <main>
      <section class="error">
        <p class="status">${status}</p>
        <h1>${title}</h1>
        <p class="lead">${message}</p>
        <p><a class="button primary" href="/">Back to the start</a></p>
      </section>
    </main>
  </body>
</html>`}\n`;
}
