// The requests of a day: who comes when and does what. The same in every run.
// Change it to make the site busier, or its visitors others.

export type Action = "read" | "write" | "sign-in";

export interface Visit {
  /** Milliseconds since 1970. */
  time: number;
  /** Undefined for a crawler or a health check, which keeps no cookie. */
  visitor: number | undefined;
  action: Action;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Of all requests; crawlers, uptime checks and link previews. */
const CRAWLERS = 0.3;
/** Of the visitors. The others look at pages and leave. */
const WITH_CART = 0.4;
const WITH_ACCOUNT = 0.15;

/** In the order of their times. */
export function requestsOfDay(visitors: number, dawn: number): Visit[] {
  const random = generator(20_300_107);
  const visits: Visit[] = [];
  for (let visitor = 0; visitor < visitors; visitor++) {
    const hasCart = random() < WITH_CART;
    const signsIn = random() < WITH_ACCOUNT;
    // Two or three times as many come in the evening as in the morning, and few at night.
    let time = dawn + DAY_MS * peak(random);
    const pages = 3 + Math.floor(random() * 18);
    for (let page = 0; page < pages; page++) {
      // Half a minute on a page, as a rule; sometimes a quarter of an hour.
      time += random() < 0.9 ? 2000 + random() * MINUTE_MS : random() * 15 * MINUTE_MS;
      let action: Action = "read";
      if (hasCart && page % 5 === 2) action = "write";
      if (signsIn && page === 4) action = "sign-in";
      visits.push({ time: Math.floor(time), visitor, action });
    }
  }
  const crawled = Math.floor((visits.length * CRAWLERS) / (1 - CRAWLERS));
  for (let count = 0; count < crawled; count++) {
    visits.push({ time: Math.floor(dawn + DAY_MS * random()), visitor: undefined, action: "read" });
  }
  return visits.sort((one, other) => one.time - other.time);
}

/** A part of the day, with its peak at eight in the evening. */
function peak(random: () => number): number {
  for (;;) {
    const part = random();
    const share = 0.15 + 0.85 * (0.5 + 0.5 * Math.cos((part - 20 / 24) * 2 * Math.PI));
    if (random() < share) return part * 0.97;
  }
}

/** Mulberry32: random enough for this, and the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
