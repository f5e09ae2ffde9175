// The frame of the example's page: head, header with the switch for the theme, footer. Its colours are in public/style.css.
import { type Html, html } from "../http/html.ts";

// A picture inside the URL, so that browsers don't request /favicon.ico.
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='9' fill='%230b6e63'/%3E%3Ccircle cx='16' cy='16' r='6.5' fill='none' stroke='%23fff' stroke-width='4'/%3E%3C/svg%3E";

export function layout(title: string, theme: unknown, main: Html, footer: Html): string {
  return `<!doctype html>\n${html`<html lang="en" ${(theme === "light" || theme === "dark") && html`data-theme="${theme}"`}>
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="icon" href="${ICON}">
    <link rel="stylesheet" href="style.css">
  </head>
  <body>
    <a class="skip" href="#main">Skip to the content</a>
    <header>
      <a class="brand" href="./"><span class="mark" aria-hidden="true"></span>Session</a>
      ${themes(theme)}
    </header>
    <main id="main" tabindex="-1">${main}</main>
    <footer><p>${footer}</p></footer>
  </body>
</html>`}\n`;
}

function themes(theme: unknown): Html {
  const button = (label: string, value: string, chosen: boolean) =>
    html`<button name="value" value="${value}" aria-pressed="${String(chosen)}">${label}</button>`;
  return html`
    <div class="themes" role="group" aria-label="Theme">
      <form method="post" action="session/data">
        <input type="hidden" name="key" value="theme">
        ${button("Light", "light", theme === "light")}
        ${button("Dark", "dark", theme === "dark")}
      </form>
      <form method="post" action="session/data/delete">
        <input type="hidden" name="key" value="theme">
        ${button("Auto", "", theme !== "light" && theme !== "dark")}
      </form>
    </div>
  `;
}
