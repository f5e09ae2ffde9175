// What browsers may do with this app's responses; main.ts hands it to the framework's own package.
// Loosen a directive here when a page needs more: fonts, scripts, pictures from elsewhere.

/** Nothing may be loaded or run except what is named. No script is allowed, so injected ones can't run either. */
export const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", "data:"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
  objectSrc: ["'none'"],
};

/** Not "no-referrer": browsers would then send `Origin: null`, and older ones would fail the check for cross-site requests. */
export const referrerPolicy = "same-origin";

/** In production only. `maxAge` is how long, in seconds, browsers refuse plain HTTP to this host. */
export const strictTransportSecurity = { maxAge: 31_536_000, includeSubDomains: false };
