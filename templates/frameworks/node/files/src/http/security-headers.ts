// The security headers as text, as main.ts sets them on every response.
// Change the values in headers.ts.
import { contentSecurityPolicy, referrerPolicy, strictTransportSecurity } from "./headers.ts";

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
