/** A vertical rule that marks an event. */
export interface Rule {
  readonly arm: number;
  readonly x: number;
  /** What happened, shown on hover. */
  readonly title: string;
  /** The label from its fullest form to its shortest; all rules of a chart get the fullest form that fits. */
  readonly labels: readonly string[];
}

export interface RulePlace {
  readonly rule: Rule;
  /** Pixels. */
  readonly x: number;
  /** Start of the label: at the rule, or to its left at the right edge. Pixels. */
  readonly labelX: number;
  /** Baseline of the label, pixels. */
  readonly y: number;
  /** Empty if no form of the labels fits. */
  readonly label: string;
}

const mostRows = 3;
const mostLabels = 60;
// Pixels: the width of a character of a label, and the gap between two labels.
const advance = 6.3;
const gap = 5;

/** Finds the fullest labels that fit above a chart in at most three rows without touching. */
export function placeRules(
  rules: readonly Rule[],
  across: (value: number) => number,
  [left, right]: readonly [number, number],
): { readonly rows: number; readonly places: readonly RulePlace[] } {
  const shown = rules
    .map((rule) => ({ rule, x: across(rule.x) }))
    .filter(({ x }) => Number.isFinite(x) && x >= left - 1 && x <= right + 1)
    .sort((a, b) => a.x - b.x);
  const forms = shown.length > mostLabels ? 0 : Math.max(0, ...shown.map(({ rule }) => rule.labels.length));
  for (let form = 0; form < forms; form++) {
    const labels = shown.map(({ rule, x }) => {
      const text = rule.labels[Math.min(form, rule.labels.length - 1)] ?? "";
      const length = text.length * advance + 4;
      return { rule, x, text, start: Math.max(left, Math.min(x, right - length)), length };
    });
    const rows = stack(labels);
    if (rows === undefined) continue;
    const highest = Math.max(...rows);
    return {
      rows: highest + 1,
      places: labels.map(({ rule, x, text, start }, index) => ({
        rule,
        x,
        labelX: start,
        label: text,
        y: 30 + 14 * (highest - (rows[index] as number)),
      })),
    };
  }
  return { rows: 0, places: shown.map(({ rule, x }) => ({ rule, x, labelX: x, label: "", y: 0 })) };
}

interface Label {
  /** Of the rule. */
  readonly x: number;
  readonly start: number;
  readonly length: number;
}

/** Above every rule that it spans; if two labels touch, the one whose rule comes first is higher. */
function mustBeAbove(upper: Label, lower: Label): boolean {
  const end = upper.start + upper.length + gap;
  const spans = lower.x >= upper.start - gap && lower.x <= end;
  const touches = lower.start <= end && upper.start <= lower.start + lower.length + gap;
  return spans || (touches && upper.x <= lower.x);
}

/** The row of each label, 0 the lowest: above every rule that it spans, or that rule would cross it out. */
function stack(labels: readonly Label[]): readonly number[] | undefined {
  const rows = labels.map(() => 0);
  for (let pass = 0; pass < mostRows; pass++) {
    let settled = true;
    labels.forEach((upper, above) => {
      labels.forEach((lower, below) => {
        if (above === below || (rows[above] as number) > (rows[below] as number)) return;
        if (!mustBeAbove(upper, lower) || (upper.x === lower.x && above > below)) return;
        rows[above] = (rows[below] as number) + 1;
        settled = false;
      });
    });
    if (settled) return rows;
    if (Math.max(...rows) >= mostRows) return undefined;
  }
  return undefined;
}
