// HTML as a tagged template that escapes every value: nothing a user typed can become markup.
// There is no way around it, by design; nest html`…` inside html`…` for markup.

/** Markup that is safe to show: only html`…` makes it. */
class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

export type { Html };

/** What may stand in ${…}: markup, lists of it, text that is escaped; false, null and undefined show nothing. */
type Value = Html | readonly Html[] | string | number | false | null | undefined;

/** Values are safe in text and between double quotes, `class="${…}"`; an attribute without quotes is not. */
export function html(markup: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(markup.reduce((before, after, index) => before + show(values[index - 1]) + after));
}

/** Takes anything: session data need not be of the type that the compiler believes. */
function show(value: unknown): string {
  if (value === false || value === null || value === undefined) return "";
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(show).join("");
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
