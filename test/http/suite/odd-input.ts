// Keys, values and texts that have broken stores before: the lists that the suite goes through.
// Add what you have seen in a log or a bug report.

/** Keys that must come back as they were sent; each fits into a path once percent-encoded. */
export const ODD_KEYS = [
  "",
  ..."a0-$'\"`\\/?#%+&=;:*~^|<>()[]{}@!,. \t\n",
  ...words("a.b .a a. ... $set $where a$b a/b // a\\b a'b\"c a?b=c#d %25 %2F %00 a=b a&b a;b [0] a[b] {} {{x}}"),
  ...words("-1 00 length __proto__ constructor prototype toString valueOf hasOwnProperty then null undefined NaN"),
  ...words("__v _id _rev _deleted _attachments id userid data data.a secret_hash version token visit_s"),
  ...words("ä a\u0308 ß ſ ı İ 日本 עברית 👩‍👩‍👧 \u202eabc \ufeffbom \u2028 \u007f \u0001 \u{10ffff}"),
  "a b",
  `\${x}`,
  " a ",
  "\u00a0",
  "\r\n",
  "k".repeat(128),
].filter((key) => key !== ".");

/** Values that must come back as they were sent. */
export const ODD_VALUES: unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    0.1,
    1e21,
    1.5e-7,
    5e-324,
    1.7976931348623157e308,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
    2 ** 63,
  ],
  ...["", " ", "\\", '"', "'", "`", `\${x}`, "{{x}}", "\n\r\t", "\u0001\u001f\u007f", "\u2028\u2029", "\ufeff"],
  ...["👩‍👩‍👧", "e\u0301", "NaN", "null", "true", "1", "2026-01-01T00:00:00.000Z", "0123456789abcdef01234567"],
  ...[[], [[]], [null, [null]], {}, { "": 1 }, { "a.b": { $c: [] } }, { constructor: { prototype: {} } }],
  ...[JSON.parse('{"__proto__":{"polluted":1}}'), { $ne: null }, { $oid: "0123456789abcdef01234567" }, { $date: 0 }],
  ...[{ $numberLong: "1" }, { _id: 1, _rev: "1-x" }, { length: 1, toJSON: 1 }, { b: 1, a: 2 }],
];

/** Texts that mean something to a store, a shell, a template or a parser. */
export const INJECTIONS = [
  "' OR '1'='1",
  "'; DROP TABLE sessions; --",
  "1); DELETE FROM sessions; --",
  '" OR ""="',
  "\\'; SELECT pg_sleep(10); --",
  "' UNION SELECT secret_hash FROM sessions --",
  "$where: sleep(1000)",
  '{"$gt":""}',
  '{"$ne":null}',
  "_design/sessions",
  "_all_docs",
  "_id",
  "*\r\nFLUSHALL\r\n",
  "EVAL redis.call('flushall')",
  "../../../../etc/passwd",
  `\${jndi:ldap://127.0.0.1/a}`,
  "{{7*7}}",
  "%s%s%n",
  "__proto__[polluted]",
  "constructor.prototype.polluted",
  "\u0000",
  "a\u0000b",
  "x".repeat(5_000),
];

function words(text: string): string[] {
  return text.split(" ");
}
