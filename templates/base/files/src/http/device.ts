// Names a device by its User-Agent, roughly: "Firefox on Linux".
// Add a browser or a system to the tables; the first that matches wins.

const BROWSERS: [RegExp, string][] = [
  [/\bEdg(?:A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: [RegExp, string][] = [
  [/\bAndroid\b/, "Android"],
  [/\biPad\b/, "iPad"],
  [/\biPhone\b/, "iPhone"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

export function deviceName(useragent: string): string {
  const browser = match(BROWSERS, useragent);
  const system = match(SYSTEMS, useragent);
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? (useragent.split(/[/\s]/, 1)[0]?.slice(0, 40) || "Unknown device");
}

function match(table: [RegExp, string][], useragent: string): string | undefined {
  return table.find(([pattern]) => pattern.test(useragent))?.[1];
}
