import { EspalierError } from "../tensor/errors.ts";
import { dueGrowths } from "../training/policy/growth-schedule.ts";
import type { Arm, Comparison, Size } from "./config.ts";

/** Units by width, such as { conv1: 8, hidden1: 32 }. */
export type Widths = Readonly<Record<string, number>>;

export function widthsOf({ filters, hidden }: Size): Widths {
  return Object.fromEntries([
    ...filters.map((size, index) => [`conv${index + 1}`, size] as const),
    ...hidden.map((size, index) => [`hidden${index + 1}`, size] as const),
  ]);
}

/**
 * The units that an arm will end with if it uses its whole budget of steps: what its events add up to, or its policy's
 * targets. Undefined if the policy's rules decide.
 */
export function endWidths({ size, growth, budget }: Arm): Widths | undefined {
  const widths = { ...widthsOf(size) };
  if (growth === undefined) return widths;
  if (!("events" in growth)) {
    const { howMany, stop } = growth;
    return "targets" in howMany && stop === undefined ? { ...widths, ...howMany.targets } : undefined;
  }
  for (let step = 0; step < budget.steps; step++) {
    for (const { width, by } of dueGrowths(growth.events, step, (name) => widths[name] ?? Number.NaN))
      widths[width] = (widths[width] ?? Number.NaN) + by;
  }
  return widths;
}

/**
 * Refuses arms that end at different sizes, or at sizes that are not known beforehand, unless the configuration allows
 * it, and events for widths that do not exist. Throws `CONFIG`.
 */
export function checkEndSizes({ arms, sizesDiffer }: Comparison): void {
  const ends = arms.map((arm) => ({ name: arm.name, widths: endWidths(arm) }));
  for (const { name, growth, size } of arms) {
    const known = Object.keys(widthsOf(size));
    const events = growth !== undefined && "events" in growth ? growth.events : [];
    const unknown = events.find(({ width }) => !known.includes(width));
    if (unknown === undefined) continue;
    throw new EspalierError("CONFIG", {
      thing: `growth of arm "${name}"`,
      rule: `must be of ${known.join(", ")}`,
      received: unknown.width,
    });
  }
  if (sizesDiffer) return;
  const texts = ends.map(({ name, widths }) => ({ name, text: widths === undefined ? "?" : textOf(widths) }));
  const first = texts[0];
  const other = texts.find(({ text }) => text !== first?.text || text === "?");
  if (other === undefined) return;
  throw new EspalierError("CONFIG", {
    thing: `arms[${texts.indexOf(other)}]`,
    rule: `must end at the size of "${first?.name}" (${first?.text}), or the comparison says that sizes differ`,
    received: `"${other.name}": ${other.text === "?" ? "a size that a policy decides" : other.text}`,
    remedy: 'Make them end at the same size, or set "sizesDiffer": true.',
  });
}

const textOf = (widths: Widths) =>
  Object.entries(widths)
    .map(([width, size]) => `${width} ${size}`)
    .join(", ");
