// The types of what is used of the package "cookie". TypeScript's older ways to find a package don't see the package's own.
// Delete it when moduleResolution in tsconfig.json is "node16", "nodenext" or "bundler".
declare module "cookie" {
  export function stringifySetCookie(cookie: {
    name: string;
    value: string;
    path?: string;
    domain?: string | undefined;
    maxAge?: number | undefined;
    httpOnly?: boolean;
    secure?: boolean;
    sameSite?: "lax" | "strict" | "none";
    partitioned?: boolean;
  }): string;
}
