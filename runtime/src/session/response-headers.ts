// What sessions change in the headers of a response, whatever framework sends it.
// Change here what caches are told, and what is dropped of a response that could not be saved.

/** The headers of a framework's response, before they are sent. Names are in lower case. */
export interface ResponseHeaders {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  remove(name: string): void;
  /** Adds a Set-Cookie header; those of others stay. */
  appendCookie(value: string): void;
}

/** Headers that describe the representation that a handler wanted to send. All others, such as security headers, hold for any. */
const REPRESENTATION_HEADERS = [
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "location",
  "trailer",
  "transfer-encoding",
];

/** Makes room for an error's response: nothing of the response that it replaces must be left in its headers. */
export function removeRepresentation(headers: Pick<ResponseHeaders, "remove">): void {
  for (const name of REPRESENTATION_HEADERS) headers.remove(name);
}

/** What `sendFile` of Express and its relatives set without being asked. */
const IMPLICIT_CACHE_CONTROL = "public, max-age=0";

/** Keeps a response out of shared caches. What a handler has set stays, but a response with a token is never public. */
export function keepPrivate(headers: ResponseHeaders, carriesToken: boolean): void {
  const control = headers.get("cache-control");
  if (control === undefined || control === IMPLICIT_CACHE_CONTROL) {
    headers.set("cache-control", carriesToken ? "no-store" : "private");
  } else if (carriesToken && !/\b(private|no-store)\b/i.test(control)) {
    const own = control.split(",").filter((directive) => !/^\s*(public|s-maxage|proxy-revalidate)\b/i.test(directive));
    headers.set("cache-control", ["private", ...own.map((directive) => directive.trim())].join(", "));
  }
  const vary = headers.get("vary");
  if (vary === undefined) headers.set("vary", "Cookie");
  else if (!/(^|,)\s*(\*|cookie)\s*(,|$)/i.test(vary)) headers.set("vary", `${vary}, Cookie`);
}
