// Reads typed settings from environment variables; a malformed one is an error that names the variable.
// Add a new kind of value here (a duration, a size); config.ts says which settings there are.
import { existsSync } from "node:fs";

/** A setting is missing or malformed. The message is one line and never contains a value that may be secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const FLAGS: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

/** What a value has to be like; `must` completes the sentence "SESSION_NAME must …". */
export interface Rule {
  isValid(text: string): boolean;
  must: string;
}

/** An empty variable counts as unset. */
export class Environment {
  readonly #variables: Record<string, string | undefined>;

  constructor(variables: Record<string, string | undefined>) {
    this.#variables = variables;
  }

  optional(name: string, rule?: Rule): string | undefined {
    const text = this.#variables[name] || undefined;
    if (text !== undefined) check(name, text, rule);
    return text;
  }

  text(name: string, fallback: string, rule?: Rule): string {
    return this.optional(name, rule) ?? fallback;
  }

  /** The value without white space around it: right for everything but free text and passwords. */
  #trimmed(name: string): string | undefined {
    return this.optional(name)?.trim() || undefined;
  }

  /** A whole number; the bounds are inclusive. The message names the unit, such as "seconds". */
  integer(name: string, fallback: number, { min = 0, max = Number.MAX_SAFE_INTEGER, unit = "" } = {}): number {
    const text = this.#trimmed(name);
    if (text === undefined) return fallback;
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      const range = `from ${min} to ${max}${unit && ` ${unit}`}`;
      throw new ConfigError(`${name} must be a whole number ${range}, not ${quote(text)}.`);
    }
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.#trimmed(name);
    if (text === undefined) return fallback;
    const value = Object.hasOwn(FLAGS, text.toLowerCase()) ? FLAGS[text.toLowerCase()] : undefined;
    if (value === undefined) throw new ConfigError(`${name} must be true or false, not ${quote(text)}.`);
    return value;
  }

  choice<const Choice extends string>(name: string, fallback: NoInfer<Choice>, choices: readonly Choice[]): Choice {
    const text = this.#trimmed(name);
    if (text === undefined) return fallback;
    const value = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    if (value === undefined) {
      throw new ConfigError(`${name} must be one of ${choices.join(", ")}, not ${quote(text)}.`);
    }
    return value;
  }

  /** Values separated by commas; the rule is for each of them. */
  list(name: string, fallback: readonly string[], rule?: Rule): string[] {
    const text = this.#trimmed(name);
    if (text === undefined) return [...fallback];
    const values = text
      .split(",")
      .map((value) => value.trim())
      .filter((value) => value !== "");
    for (const value of values) check(name, value, rule);
    return values;
  }

  /** A URL with one of these protocols, such as "postgres:". It may contain a password, so no message shows it. */
  url(name: string, protocols: readonly string[]): URL | undefined {
    const text = this.#trimmed(name);
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    if (!url || !protocols.includes(url.protocol)) {
      const schemes = protocols.map((protocol) => `${protocol}//`).join(" or ");
      throw new ConfigError(
        `${name} must be a URL that starts with ${schemes}; special characters in a password are percent-encoded.`,
      );
    }
    return url;
  }
}

/** Adds what .env in the current folder holds to the environment, which takes precedence; for development. */
export function loadEnvironment(): NodeJS.ProcessEnv {
  // Not by --env-file-if-exists: without a .env, that flag makes `node --watch` crash.
  if (existsSync(".env")) process.loadEnvFile();
  return process.env;
}

/** Runs `read`. A ConfigError prints its one line and ends the process with exit code 1. */
export function orExit<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

function check(name: string, text: string, rule: Rule | undefined): void {
  if (rule !== undefined && !rule.isValid(text))
    throw new ConfigError(`${name} must ${rule.must}, not ${quote(text)}.`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
