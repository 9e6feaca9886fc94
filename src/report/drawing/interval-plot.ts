import type { Axis } from "./axis.ts";
import { marker } from "./marker.ts";
import { type Markup, markup } from "./markup.ts";

/** One row: a name, its individual values, their middle and its interval. */
export interface IntervalRow {
  readonly arm: number;
  readonly name: string;
  readonly values: readonly number[];
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  /** Text at the right. */
  readonly label: string;
}

export interface IntervalPlot {
  /** Unique in the document: a letter, then letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly x: Axis;
  /** Position of the vertical rule, such as 1 for "as much as the other". */
  readonly rule: number;
  readonly rows: readonly IntervalRow[];
  /** Pixels. Default 1080. */
  readonly width?: number;
}

const rowHeight = 44;

/** Rows of dots with their middles and intervals. A value that is off the axis (infinite) is drawn at its right end. */
export function drawIntervals({ id, title, description, x, rule, rows, width = 1080 }: IntervalPlot): Markup {
  const left = 24 + 7.4 * Math.max(...rows.map(({ name }) => name.length));
  const right = 36 + 6.6 * Math.max(...rows.map(({ label }) => label.length));
  const room = width - left - right;
  const bottom = rows.length * rowHeight + 8;
  const across = (value: number) => {
    const place = x.place(value);
    return left + (Number.isNaN(place) ? 1.03 : Math.min(1.03, Math.max(0, place))) * room;
  };
  const drawn = rows.map(({ arm, name, values, middle, low, high, label }, index) => {
    const y = 24 + index * rowHeight;
    const dots = values.map((value, at) => {
      // Spread vertically, so that equal values can be counted.
      const dy = ((at % 5) - 2) * 4;
      return markup`<circle class="dot arm-${arm % 7}" cx="${round(across(value))}" cy="${y + dy}" r="3"/>`;
    });
    return markup`<g><text class="name-label" x="0" y="${y + 4}">${name}</text>${dots}${
      !Number.isNaN(middle) &&
      markup`<path class="interval arm-${arm % 7}" d="M${round(across(low))},${y}H${round(across(high))}"/>${marker(arm, across(middle), y)}`
    }<text x="${round(width - right + 34)}" y="${y + 4}">${label}</text></g>`;
  });
  return markup`<svg role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${width} ${bottom + 44}" class="chart">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${description}</desc>
<g class="grid">${x.ticks.map(({ value }) => markup`<path d="M${round(across(value))},4V${bottom}"/>`)}</g>
<path class="one" d="M${round(across(rule))},4V${bottom}"/>
${drawn}
<g class="ticks" text-anchor="middle">${x.ticks.map(({ value, label }) => markup`<text x="${round(across(value))}" y="${bottom + 18}">${label}</text>`)}<text x="${round(left + 1.03 * room)}" y="${bottom + 18}">∞</text></g>
<text class="axis-label" x="${round(left + room)}" y="${bottom + 38}" text-anchor="end">${x.label}</text>
</svg>`;
}

const round = (value: number): string => String(Math.round(value * 10) / 10);
