// The keyboard as `prompts` can take it: only keys that it understands get through.
// Change it when a question listens to another key.
import { EventEmitter } from "node:events";
import type { Interface, Key } from "node:readline";
import { createInterface, emitKeypressEvents } from "node:readline";
import { PassThrough } from "node:stream";

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

/** What terminals send for keys without a letter and for events of their own: CSI (and the Linux console's F1 to F5), SS3, OSC. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what it looks for.
const SEQUENCE = /\x1b\[\[.|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;

/** The sequences of EDITING, and the marks around a paste. Node would take parts of some others for letters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what it looks for.
const KNOWN_SEQUENCE = /^\x1b[[O](?:[A-DFH]|[1345678]~|20[01]~)$/;

/** Terminals that know bracketed paste put marks around what is pasted. */
const BRACKETED_PASTE = { on: "\x1b[?2004h", off: "\x1b[?2004l" };

const BELL = "\x07";

interface Keypress {
  text: string | undefined;
  key: Key;
}

/** Emits "keypress" like a terminal's input, and has what `prompts` wants of it besides. */
export class Keys extends EventEmitter {
  readonly isTTY = true;
  readonly #input = new PassThrough();
  readonly #interface: Interface;
  #pending: Keypress[] = [];
  #pasted: Keypress[] | undefined;

  constructor() {
    super();
    this.#interface = createInterface({ input: this.#input, escapeCodeTimeout: 50 });
    emitKeypressEvents(this.#input, this.#interface);
    this.#input.on("keypress", (text: string | undefined, key: Key) => this.#press({ text, key }));
    process.stdin.setRawMode(true).setEncoding("utf8").on("data", this.#receive).resume();
    process.stdout.write(BRACKETED_PASTE.on);
  }

  /** Gives the terminal back as it was, also when a question was interrupted and has hidden the cursor. */
  close(): void {
    process.stdin.off("data", this.#receive).setRawMode(false).pause();
    this.#interface.close();
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

  readonly #receive = (chunk: string): void => {
    this.#input.write(chunk.replace(SEQUENCE, (sequence) => (KNOWN_SEQUENCE.test(sequence) ? sequence : "")));
  };

  #press(press: Keypress): void {
    const { name } = press.key;
    if (name === "paste-start") this.#pasted = [];
    else if (name === "paste-end") this.#endPaste();
    else if (this.#pasted !== undefined) this.#pasted.push(press);
    else {
      // All keys of one read arrive in the same turn of the event loop: they were pasted, or typed very fast.
      if (this.#pending.length === 0) setImmediate(() => this.#endTurn());
      this.#pending.push(press);
    }
  }

  /** One line that is pasted is text, and a line break at its end doesn't submit it. */
  #endPaste(): void {
    const pasted = this.#pasted ?? [];
    this.#pasted = undefined;
    if (isOneLine(pasted)) {
      for (const { text, key } of pasted) if (isPrintable(text)) this.emit("keypress", text, key);
    } else this.#refuse();
  }

  #endTurn(): void {
    const keys = this.#pending;
    this.#pending = [];
    if (isOneLine(keys)) {
      // The question is over with the first Enter.
      const submit = keys.findIndex(isLineBreak);
      const line = submit < 0 ? keys : keys.slice(0, submit + 1);
      for (const press of line) if (isUnderstood(press)) this.emit("keypress", press.text, press.key);
    } else this.#refuse();
  }

  /** Several lines answer no question. */
  #refuse(): void {
    process.stdout.write(BELL);
  }
}

/** Whether nothing follows the first line break but other line breaks. */
function isOneLine(keys: readonly Keypress[]): boolean {
  const first = keys.findIndex(isLineBreak);
  return first < 0 || keys.slice(first).every(isLineBreak);
}

function isLineBreak({ key: { name, ctrl, meta } }: Keypress): boolean {
  return (name === "return" || name === "enter") && !ctrl && !meta;
}

function isUnderstood({ text, key: { name = "", ctrl, meta } }: Keypress): boolean {
  if (meta && name !== "escape") return false;
  if (ctrl) return WITH_CTRL.has(name);
  return EDITING.has(name) || isPrintable(text);
}

function isPrintable(text: string | undefined): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  return text !== undefined && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
}
