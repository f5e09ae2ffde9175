// What browsers may do with this app's answers; main.ts hands it to the framework's own package.
// Loosen a directive here when a page needs more: fonts, scripts, pictures from elsewhere.

/** Nothing may be loaded or run but what is named. Without any script, injected ones can't run either. */
export const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", "data:"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
  objectSrc: ["'none'"],
};

/** Not "no-referrer": browsers would send `Origin: null`, and older ones fail the check for cross-site requests. */
export const referrerPolicy = "same-origin";

/** In production only. Seconds for which browsers refuse plain HTTP to this host. */
export const strictTransportSecurity = { maxAge: 31_536_000, includeSubDomains: false };

/** For whoever sets headers by hand. */
export function securityHeaders(production: boolean): Record<string, string> {
  const directives = Object.entries(contentSecurityPolicy).map(([name, sources]) => {
    return `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${sources.join(" ")}`;
  });
  return {
    "Content-Security-Policy": directives.join("; "),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": referrerPolicy,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    ...(production && { "Strict-Transport-Security": `max-age=${strictTransportSecurity.maxAge}` }),
  };
}
