// Settings that are unsafe in production, found in the files that set them there.
// Change it when there is another setting that can be unsafe.
import { decodeText, plainText } from "./lines.ts";
import type { Tree } from "./tree.ts";

export interface UnsafeSetting {
  /** The environment variable. */
  name: string;
  value: string;
  /** Where it is set. */
  file: string;
  /** What follows from it, as a sentence. */
  consequence: string;
}

/**
 * The files that may set variables in production, besides the defaults in the code that reads them. In .env, which is for
 * development, they only count beside NODE_ENV=production.
 */
export const SETTING_FILES = [".env.production", ".env.production.local", ".env", "Dockerfile"];

interface Rule {
  isUnsafe(value: string): boolean;
  consequence: string;
}

const RULES: Record<string, Rule> = {
  SESSION_COOKIE_SECURE: {
    isUnsafe: (value) => value === "false",
    consequence: "The cookie goes over plain HTTP, where anybody on the way can read it.",
  },
  SESSION_COOKIE_HTTP_ONLY: {
    isUnsafe: (value) => value === "false",
    consequence: "Scripts in the page can read the cookie, so one injected script takes every visitor's session.",
  },
  SESSION_COOKIE_SAME_SITE: {
    isUnsafe: (value) => value === "none",
    consequence: "Other sites' requests carry the cookie. That is right only for an app inside other sites' frames.",
  },
  SESSION_TRUST_PROXY: {
    isUnsafe: (value) => /(^|[\s,])(0\.0\.0\.0|::)\/0($|[\s,])/.test(value),
    consequence: "Anybody can claim any address by an X-Forwarded-For header.",
  },
  SESSION_ALLOWED_ORIGINS: {
    isUnsafe: (value) =>
      value.split(",").some((origin) => /^\s*(\*|null|http:\/\/(?!localhost|127\.|\[::1\]))/.test(origin)),
    consequence: "Pages that anybody on the way can change may send requests as the user.",
  },
  SESSION_LIFETIME: {
    isUnsafe: (value) => value === "0",
    consequence: "A session that is used never ends, so a stolen one doesn't either.",
  },
};

/** @param config the file whose code reads the settings, and has their defaults */
export function unsafeSettings(project: Tree, config: string): UnsafeSetting[] {
  return [...SETTING_FILES, config].flatMap((file) => {
    const content = project.get(file);
    const text = content === undefined ? "" : plainText(decodeText(content) ?? "");
    const values = file === config ? defaultsIn(text) : variablesIn(text);
    if (file === ".env" && values.get("NODE_ENV") !== "production") return [];
    return [...values].flatMap(([name, value]) => {
      const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
      return rule?.isUnsafe(value) ? [{ name, value, file, consequence: rule.consequence }] : [];
    });
  });
}

/** NAME=value in an environment file; ENV NAME=value in a Dockerfile. */
function variablesIn(text: string): Map<string, string> {
  const lines = text.matchAll(/^\s*(?:export\s+|ENV\s+)?([A-Z_][A-Z0-9_]*)\s*=\s*(["']?)(.*?)\2\s*(?:#.*)?$/gm);
  return new Map([...lines].map(([, name = "", , value = ""]) => [name, value]));
}

/** The default in `env.flag("SESSION_COOKIE_HTTP_ONLY", true)`. */
function defaultsIn(text: string): Map<string, string> {
  const calls = text.matchAll(/\benv\.\w+\(\s*"([A-Z_0-9]+)",\s*\[?\s*["']?([^"',)\]]*)/g);
  return new Map([...calls].map(([, name = "", value = ""]) => [name, value.trim()]));
}
