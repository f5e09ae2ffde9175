// The page for browsers when something went wrong.
// Reword the titles here; problem.ts decides on status and message.

import { layout } from "../example/layout.ts";
import { html } from "./html.ts";

export function errorPage(status: number, message: string): string {
  const title = TITLES[status] ?? (status < 500 ? "That did not work" : "Something went wrong");
  return layout(
    title,
    undefined,
    html`
      <section class="error">
        <p class="status">${status}</p>
        <h1>${title}</h1>
        <p class="lead">${message}</p>
        <p><a class="button primary" href="/">Back to the page</a></p>
      </section>
    `,
  );
}

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
