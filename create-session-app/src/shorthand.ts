// Reads texts that are written in shorthand (../shorthand.ts), by the program that the archive brings along (../shorthand.wat).
// Change it when the program's memory is to be laid out otherwise.

/** In the program's memory: where each word begins, the words, and the text with what it is read to. */
const ENDS = 0;
const WORDS = 4096;
const TEXT = 32_768;

const PAGE = 65_536;
/** What is read may be so many times as long, and some pages for its indentation. No word is longer than 32 bytes, and each has a code of two. */
const GROWTH = 16;
const SPARE = 4 * PAGE;

interface Program {
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
  read(start: number, end: number, words: number, ends: number, out: number): number;
}

export class Shorthand {
  readonly #program: Program;

  /**
   * @param words one after the other, shortest first
   * @param counts how many of them there are of each length, from 0 on
   */
  constructor(program: Uint8Array<ArrayBuffer>, words: Uint8Array, counts: readonly number[]) {
    this.#program = new WebAssembly.Instance(new WebAssembly.Module(program)).exports as unknown as Program;
    const ends = new Uint16Array(this.#program.memory.buffer, ENDS, WORDS / 2);
    let index = 0;
    for (const [length, count] of counts.entries()) {
      for (let left = count; left > 0; left--) {
        ends[index + 1] = (ends[index] as number) + length;
        index++;
      }
    }
    new Uint8Array(this.#program.memory.buffer).set(words, WORDS);
  }

  read(text: Uint8Array): Buffer {
    const { memory, read } = this.#program;
    const missing = TEXT + (1 + GROWTH) * text.length + SPARE - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    new Uint8Array(memory.buffer).set(text, TEXT);
    const start = TEXT + text.length;
    const end = read(TEXT, start, WORDS, ENDS, start);
    return Buffer.from(new Uint8Array(memory.buffer, start, end - start));
  }
}
