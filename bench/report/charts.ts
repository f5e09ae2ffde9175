// The charts of docs/performance.md as SVG, from the results in docs/benchmarks. Vega-Lite draws them without a browser.
// Change a chart here, and run `npm run bench -- report`.

import type { Day } from "../day/run.ts";
import { peerPackage } from "../peers/contender.ts";
import { NO_AIM } from "../peers/matches.ts";
import type { Peers } from "../peers/run.ts";
import type { Scale } from "../scale/run.ts";
import { nameOf } from "./tables.ts";

const OURS = "#1a6fb5";
const THEIRS = "#b0b7bf";
const MISSED = "#d9822b";
const TEXT = "#24292f";
const WIDTH = 460;
const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

const config: object = {
  background: "white",
  font: FONT,
  view: { stroke: null },
  title: {
    anchor: "start",
    frame: "group",
    fontSize: 15,
    fontWeight: 600,
    color: TEXT,
    subtitleColor: "#57606a",
    subtitleFontSize: 12,
    offset: 14,
  },
  axis: {
    labelColor: TEXT,
    titleColor: "#57606a",
    titleFontWeight: "normal",
    labelFontSize: 12,
    titleFontSize: 12,
    gridColor: "#eaeef2",
    domainColor: "#d0d7de",
    tickColor: "#d0d7de",
    labelLimit: 420,
  },
  legend: { labelColor: TEXT, labelFontSize: 12, title: null, orient: "top", symbolType: "square" },
  header: { labelColor: TEXT, labelFontSize: 13, labelFontWeight: 600, title: null },
};

const { compile } = await peerPackage("vega-lite");
const { parse, View } = await peerPackage("vega");
const { textMetrics } = await peerPackage("vega-scenegraph");

/** Without a canvas, Vega takes every character for 0.8 of the font's size, which leaves a third of the picture empty. */
const CHARACTER_WIDTH = 0.56;
textMetrics.width = (item: { fontSize?: number }, text: string) =>
  CHARACTER_WIDTH * text.length * (item.fontSize ?? 11);

async function svg(spec: object): Promise<string> {
  const { spec: compiled } = compile({ ...spec, config, padding: 16 });
  return `${await new View(parse(compiled), { renderer: "none" }).toSVG()}\n`;
}

const BY_HAND = "by hand";
const PACKAGES = "packages";
const isPackage = (against: string) => !["bare", "empty middleware", "lookup", "by hand"].includes(against);

/** Frameworks are measured in memory, stores with Express. */
const placeOf = (framework: string, backend: string) => (backend === "memory" ? framework : backend);

/** One bar for each comparison: how often our CPU time fits into the peer's. */
export async function ratios(peers: Peers): Promise<string> {
  const values = peers.comparisons.map(({ framework, backend, route, against, ratio, aim }) => ({
    group: isPackage(against) ? PACKAGES : BY_HAND,
    name: `${placeOf(framework, backend)}, ${route}: ${nameOf(against)}`,
    ...ratio,
    aim: aim === NO_AIM ? null : aim,
    reached: aim === NO_AIM ? "no aim" : ratio.median >= aim ? "aim reached" : "aim missed",
  }));
  const y = {
    field: "name",
    type: "nominal",
    sort: null,
    title: null,
    axis: { ticks: false, domain: false, labelPadding: 8 },
  };
  const x = { type: "quantitative" };
  const chart = (group: string, title: string, subtitle: string) => ({
    title: { text: title, subtitle },
    width: WIDTH,
    height: { step: 24 },
    data: { values: values.filter((value) => value.group === group) },
    encoding: { y },
    layer: [
      {
        mark: { type: "bar", height: 13 },
        encoding: {
          x: { ...x, field: "median", title: "CPU time of the other / CPU time of ours" },
          color: {
            field: "reached",
            type: "nominal",
            scale: { domain: ["aim reached", "aim missed", "no aim"], range: [OURS, MISSED, THEIRS] },
          },
        },
      },
      {
        mark: { type: "rule", color: TEXT, opacity: 0.55 },
        encoding: { x: { ...x, field: "lowerQuartile" }, x2: { field: "upperQuartile" } },
      },
      {
        mark: { type: "tick", color: TEXT, thickness: 2, height: 17 },
        encoding: { x: { ...x, field: "aim" } },
      },
      {
        // In a column of their own, where no tick or bar is in their way.
        mark: { type: "text", align: "right", color: TEXT, fontSize: 12 },
        encoding: {
          x: { value: WIDTH + 36 },
          text: { field: "median", type: "quantitative", format: ".2f" },
        },
      },
    ],
  });
  const subtitle = "Medians, with quartiles; the dark tick is the aim.";
  return svg({
    vconcat: [
      chart(
        BY_HAND,
        "Against a framework without sessions, and what is written by hand",
        `1 would cost nothing on top. ${subtitle}`,
      ),
      chart(PACKAGES, "Against what people use otherwise", `2 takes half the CPU time for each request. ${subtitle}`),
    ],
    spacing: 36,
  });
}

/** p99 of both at the same offered load. */
export async function latencies(peers: Peers): Promise<string> {
  const values = peers.comparisons
    .filter(({ against }) => isPackage(against))
    .flatMap(({ framework, backend, route, against, latency }) =>
      (["ours", "theirs"] as const).map((who) => ({
        name: `${placeOf(framework, backend)}, ${route}: ${against}, ${latency.ours.rate}/s`,
        who: who === "ours" ? "ours" : "the other",
        p50: latency[who].p50,
        p99: latency[who].p99,
      })),
    );
  return svg({
    title: {
      text: "Latency at the same offered load",
      subtitle: "From the median (dot) to the 99th percentile (end of the line), milliseconds, logarithmic.",
    },
    width: 460,
    height: { step: 13 },
    data: { values },
    encoding: {
      y: {
        field: "name",
        type: "nominal",
        sort: null,
        title: null,
        axis: { ticks: false, domain: false, labelPadding: 8 },
      },
      yOffset: { field: "who", sort: ["ours", "the other"] },
      color: { field: "who", type: "nominal", scale: { domain: ["ours", "the other"], range: [OURS, "#8c959f"] } },
    },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 3 },
        encoding: {
          x: { field: "p50", type: "quantitative", scale: { type: "log" }, title: "ms" },
          x2: { field: "p99" },
        },
      },
      { mark: { type: "point", filled: true, size: 50 }, encoding: { x: { field: "p50", type: "quantitative" } } },
    ],
  });
}

/** Reads per second by the number of sessions. */
export async function sizes(scale: Scale): Promise<string> {
  const values = scale.stores.flatMap(({ backend, sizes: measured }) =>
    measured.map(({ rows, ratio }) => ({ backend, rows, ratio: ratio?.rate.median ?? 1 })),
  );
  return svg({
    title: {
      text: "Reads in larger stores",
      subtitle: "Reads per second, divided by those with the fewest sessions; 1 is the same, 0.9 the aim.",
    },
    width: 460,
    height: 240,
    layer: [
      {
        data: { values: [{ aim: 0.9 }] },
        mark: { type: "rule", color: TEXT, strokeDash: [5, 4] },
        encoding: { y: { field: "aim", type: "quantitative" } },
      },
      {
        data: { values },
        mark: { type: "line", point: { size: 50 }, strokeWidth: 2 },
        encoding: {
          x: {
            field: "rows",
            type: "quantitative",
            scale: { type: "log" },
            title: "sessions",
            axis: { format: "~s", values: [...new Set(values.map(({ rows }) => rows))] },
          },
          y: {
            field: "ratio",
            type: "quantitative",
            title: "ratio",
            scale: { domain: [0, Math.max(1.2, ...values.map(({ ratio }) => ratio))] },
          },
          color: { field: "backend", type: "nominal", scale: { range: [OURS, "#2da44e", MISSED, "#8250df"] } },
        },
      },
    ],
  });
}

/** Statements that write, hour by hour. */
export async function writes(day: Day): Promise<string> {
  const values = Object.entries(day.days).flatMap(([name, { hours }]) =>
    hours.filter(({ hour }) => hour <= 25).map(({ hour, writes: count }) => ({ name, hour: hour - 1, writes: count })),
  );
  const names = Object.keys(day.days);
  return svg({
    title: {
      text: "A day of a busy site",
      subtitle: `Statements that write to the store, by the hour; ${day.visitors.toLocaleString("en")} visitors.`,
    },
    width: 460,
    height: 220,
    data: { values },
    mark: { type: "line", interpolate: "monotone", strokeWidth: 2.5 },
    encoding: {
      x: {
        field: "hour",
        type: "quantitative",
        title: "hour of the day",
        axis: { values: [0, 6, 12, 18, 24], grid: false },
      },
      y: { field: "writes", type: "quantitative", title: "writes an hour" },
      color: { field: "name", type: "nominal", scale: { domain: names, range: [OURS, THEIRS] } },
    },
  });
}
