import type { GrowthRecord } from "../../training/history/record.ts";
import {
  absent,
  count,
  duration,
  flops,
  metricValue,
  percent,
  plural,
  significant,
  whole,
} from "../drawing/figures.ts";
import { badge } from "../drawing/marker.ts";
import { type Markup, markup } from "../drawing/markup.ts";
import type { RunArm, RunRecord } from "../record/run-record.ts";
import { undoneTrials } from "../record/undone-trials.ts";

/** The outcome of the run: in sentences, then one card per arm. */
export function summary(run: RunRecord): Markup {
  return markup`<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
<div class="prose">
${run.arms.length === 0 && markup`<p>The run has no arms.</p>`}
${run.arms.map((arm) => markup`<p>${outcome(arm, run.metric)}${growthSentences(arm)}</p>`)}
${run.arms.length === 2 && comparison(run.arms[0] as RunArm, run.arms[1] as RunArm, run.metric)}
</div>
<div class="cards">${run.arms.map((arm, index) => card(arm, index, run.metric))}</div>
</section>`;
}

function outcome(arm: RunArm, metric: string | undefined): Markup {
  const last = arm.points.at(-1);
  const value = metric === undefined ? undefined : arm.final[metric];
  const measured =
    metric !== undefined &&
    value !== undefined &&
    markup` and ${/^[aeiou]/i.test(metric) ? "an" : "a"} ${metric} of <b>${metricValue(metric, value)}</b>`;
  const cost =
    last !== undefined &&
    markup`, after ${plural(last.step, "step")}, ${flops(last.flops)} and ${duration(last.seconds)} of training`;
  return markup`<b class="name">${arm.name}</b> ended with a loss of <b>${significant(arm.final.loss)}</b>${measured}, with ${count(arm.parameters)} parameters${cost}.`;
}

function growthSentences({ growths, decisions }: RunArm): Markup {
  const undone = undoneTrials(decisions);
  const tried =
    undone.count > 0 &&
    markup` Tried and undone: ${plural(undone.count, "growth")}, which cost ${flops(undone.flops)}.`;
  if (growths.length === 0) return tried || markup` It did not grow.`;
  const times =
    growths.length === 1 ? "once" : growths.length === 2 ? "twice" : `${whole(growths.length)} times`;
  const dead = growths.reduce((sum, { newUnits }) => sum + newUnits.filter((unit) => unit.dead).length, 0);
  const twins = growths.reduce((sum, { identicalUnits }) => sum + identicalUnits.length, 0);
  return markup` It grew ${times} (${chains(growths)}). ${preservation(growths)}${
    dead > 0 &&
    markup` ${plural(dead, "new unit")} had no gradient, or no activation, on the one batch seen at birth.`
  }${twins > 0 && markup` <strong class="bad">${plural(twins, "group")} of identical units came with the new ones.</strong>`}${tried}`;
}

/** "hidden1 8 → 16 → 32; hidden2 4 → 8". */
function chains(growths: readonly GrowthRecord[]): string {
  const sizes = new Map<string, number[]>();
  for (const { width, size } of growths) {
    const chain = sizes.get(width) ?? [size.before];
    chain.push(size.after);
    sizes.set(width, chain);
  }
  const told = [...sizes].map(([width, chain]) => {
    const shown = chain.length <= 5 ? chain : [chain[0], chain[1], "…", chain.at(-1)];
    return `${width} ${shown.join(" → ")}`;
  });
  return told.length <= 6
    ? told.join("; ")
    : `${told.slice(0, 5).join("; ")}; and ${told.length - 5} more widths`;
}

function preservation(growths: readonly GrowthRecord[]): Markup {
  const total = growths.length;
  const broken = growths.filter(({ output }) => !output.preserved).length;
  const exact = growths.filter(({ output }) => output.identical).length;
  const each = total === 1 ? "The growth" : total === 2 ? "Both growths" : `All ${whole(total)} growths`;
  if (broken > 0)
    return markup`<strong class="bad">${total === 1 ? "It" : `${whole(broken)} of the ${whole(total)} growths`} did not preserve the function</strong>: outputs moved by more than rounding explains.`;
  if (exact === total) return markup`${each} left every output as it was, <b>bit for bit</b>.`;
  return markup`${each} <b>preserved the function</b>: no output moved by more than its rounding bound${
    exact > 0 && `, and ${whole(exact)} of the ${whole(total)} changed not a single bit`
  }.`;
}

/** The costs and results of one arm compared with another's. */
function comparison(one: RunArm, other: RunArm, metric: string | undefined): Markup | false {
  const [a, b] = [one.points.at(-1), other.points.at(-1)];
  const parts: Markup[] = [];
  if (a && b && b.flops > 0 && b.seconds > 0)
    parts.push(
      markup`used ${percent(a.flops / b.flops)} of its FLOPs and ${percent(a.seconds / b.seconds)} of its seconds`,
    );
  const change = one.final.loss / other.final.loss - 1;
  if (Number.isFinite(change) && other.final.loss > 0)
    parts.push(
      markup`ended with a loss ${Math.abs(change) < 5e-4 ? "equal to its own" : `${percent(Math.abs(change))} ${change < 0 ? "lower" : "higher"}`}`,
    );
  const [mine, its] = [metric && one.final[metric], metric && other.final[metric]];
  if (metric && Number.isFinite(mine) && Number.isFinite(its))
    parts.push(
      markup`has ${metric} ${metricValue(metric, mine as number)} against ${metricValue(metric, its as number)}`,
    );
  if (parts.length === 0) return false;
  const joined = parts.map((part, index) => [
    index === 0 ? "" : index === parts.length - 1 ? " and " : ", ",
    part,
  ]);
  return markup`<p>Against <b class="name">${other.name}</b>, <b class="name">${one.name}</b> ${joined}.</p>`;
}

function card(arm: RunArm, index: number, metric: string | undefined): Markup {
  const last = arm.points.at(-1);
  const total = arm.growths.length;
  const undone = undoneTrials(arm.decisions).count;
  const kept = arm.growths.filter(({ output }) => output.preserved).length;
  const facts: readonly (readonly [string, string])[] = [
    ["parameters", count(arm.parameters)],
    ["steps", whole(last?.step)],
    ["compute", flops(last?.flops)],
    ["time", duration(last?.seconds)],
    ["growths", `${total === 0 ? "none" : whole(total)}${undone > 0 ? `, ${whole(undone)} undone` : ""}`],
    ["function preserved", total === 0 ? absent : `${whole(kept)} of ${whole(total)}`],
  ];
  return markup`<div class="card arm-${index % 7}">
<h3>${badge(index)}<span class="name">${arm.name}</span></h3>
<div class="headline"><div><b>${significant(arm.final.loss)}</b><span>final loss</span></div>${
    metric !== undefined &&
    markup`<div><b>${metricValue(metric, arm.final[metric])}</b><span>final ${metric}</span></div>`
  }</div>
<dl>${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</div>`;
}
