// The keyboard as `prompts` can take it: only keys that it understands get through.
// Change it when a question listens to another key.
import { EventEmitter } from "node:events";
import type { Interface, Key } from "node:readline";
import { createInterface, emitKeypressEvents } from "node:readline";

/*
  `prompts` takes every key that it doesn't know for text, and a function key has none: a yes/no question then throws, and a text gets
  the word "undefined". While it checks a text that was submitted it goes on inserting what is typed, so that two lines that are
  pasted become one. So it isn't given the terminal itself, but this stand-in for one.
*/

/** Keys without a text of their own that a question reacts to. */
const EDITING = new Set([
  "backspace",
  "delete",
  "down",
  "end",
  "enter",
  "escape",
  "home",
  "left",
  "pagedown",
  "pageup",
  "return",
  "right",
  "tab",
  "up",
]);

/** Ctrl with one of these: first, abort, abort, last, reset. */
const WITH_CTRL = new Set(["a", "c", "d", "e", "g"]);

/** Terminals that know bracketed paste put marks around what is pasted. */
const BRACKETED_PASTE = { on: "\x1b[?2004h", off: "\x1b[?2004l" };

interface Keypress {
  text: string | undefined;
  key: Key;
}

/** What `prompts` wants of its input, besides the keys. */
export class Keys extends EventEmitter {
  readonly isTTY = true;
  readonly #terminal: Interface;
  #pending: Keypress[] = [];
  #pasted: Keypress[] | undefined;

  constructor() {
    super();
    this.#terminal = createInterface({ input: process.stdin, escapeCodeTimeout: 50 });
    emitKeypressEvents(process.stdin, this.#terminal);
    process.stdin.setRawMode(true);
    process.stdin.on("keypress", this.#press);
    process.stdout.write(BRACKETED_PASTE.on);
  }

  /** Gives the terminal back as it was, also when a question was interrupted and has hidden the cursor. */
  close(): void {
    process.stdin.off("keypress", this.#press);
    process.stdin.setRawMode(false);
    this.#terminal.close();
    process.stdout.write(`${BRACKETED_PASTE.off}\x1b[?25h`);
  }

  setRawMode(): this {
    return this;
  }

  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }

  readonly #press = (text: string | undefined, key: Key): void => {
    if (key.name === "paste-start") this.#pasted = [];
    else if (key.name === "paste-end") this.#endPaste();
    else if (this.#pasted !== undefined) this.#pasted.push({ text, key });
    else {
      // All keys of one read arrive in the same turn of the event loop: they were pasted, or typed very fast.
      if (this.#pending.length === 0) setImmediate(() => this.#pass());
      this.#pending.push({ text, key });
    }
  };

  /** Several lines answer no question. One line is text, and a line break at its end doesn't submit it. */
  #endPaste(): void {
    const pasted = this.#pasted ?? [];
    this.#pasted = undefined;
    const text = pasted.filter(({ key }) => !isLineBreak(key));
    if (pasted.slice(0, text.length).some(({ key }) => isLineBreak(key))) return;
    for (const { text: letter, key } of text) if (isPrintable(letter)) this.emit("keypress", letter, key);
  }

  #pass(): void {
    const keys = this.#pending;
    this.#pending = [];
    const submit = keys.findIndex(({ key }) => isLineBreak(key));
    const isOneLine = submit < 0 || keys.slice(submit).every(({ key }) => isLineBreak(key));
    if (!isOneLine) return;
    const line = submit < 0 ? keys : keys.slice(0, submit + 1);
    for (const { text, key } of line) if (isUnderstood(text, key)) this.emit("keypress", text, key);
  }
}

function isLineBreak({ name }: Key): boolean {
  return name === "return" || name === "enter";
}

function isUnderstood(text: string | undefined, key: Key): boolean {
  if (key.meta && key.name !== "escape") return false;
  if (key.ctrl) return WITH_CTRL.has(key.name ?? "");
  return EDITING.has(key.name ?? "") || isPrintable(text);
}

function isPrintable(text: string | undefined): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  return text !== undefined && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
}
