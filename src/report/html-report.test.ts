import { describe, expect, test } from "vitest";
import { sampleDiagnosis, sampleGrowth, sampleRun } from "../../test/report/sample-run.ts";
import { htmlReport } from "./html-report.ts";
import type { RunArm, RunRecord } from "./record/run-record.ts";

/** Throws if elements are not nested, an attribute is not quoted, or the text contains a bare `<` or `&`. */
function assertWellFormed(document: string): void {
  const token =
    /<!DOCTYPE html>|<(\/?)([A-Za-z][\w-]*)((?:\s+[A-Za-z][\w:-]*="[^"<]*")*)\s*(\/?)>|&(?:amp|lt|gt|quot|#39);|[^<&]/gy;
  const open: string[] = [];
  let end = 0;
  for (let match = token.exec(document); match !== null; match = token.exec(document)) {
    end = token.lastIndex;
    const [, closing, name, attributes = "", empty] = match;
    if (name === undefined) continue;
    const names = [...attributes.matchAll(/([\w:-]+)="/g)].map(([, attribute]) => attribute);
    if (new Set(names).size !== names.length) throw new Error(`attribute given twice: ${match[0]}`);
    if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(attributes)) throw new Error(`bare & in ${match[0]}`);
    if (closing === "/") {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else if (empty === "") open.push(name);
  }
  if (end !== document.length) throw new Error(`not well-formed at: ${document.slice(end, end + 80)}`);
  if (open.length > 0) throw new Error(`not closed: ${open.join(" ")}`);
}

function assertSound(html: string): void {
  assertWellFormed(html);
  expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
  expect(html).not.toMatch(/https?:|\bsrc=|\bhref=|url\(|@import|<script|\son\w+=/);
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, named = ""] of html.matchAll(/aria-labelledby="([^"]*)"/g))
    for (const id of named.split(" ")) expect(ids).toContain(id);
}

const arm = (run: RunRecord, index = 0): RunArm => run.arms[index] as RunArm;

describe("the sample run", () => {
  const run = sampleRun();
  const html = htmlReport(run);

  test("is well-formed, and the same each time", () => {
    assertSound(html);
    expect(htmlReport(run)).toBe(html);
  });

  test("has every section", () => {
    const headings = [...html.matchAll(/<h2[^>]*>([^<]*)/g)].map(([, text]) => text);
    expect(headings).toEqual([
      "Summary",
      "Learning curves",
      "Widths over time",
      "Growths",
      "Diagnosis",
      "Configuration",
    ]);
  });

  test("draws loss and metric against three quantities, with a title and a description each", () => {
    for (const panel of ["loss", "metric"])
      for (const id of ["steps", "flops", "seconds"])
        expect(html).toContain(`aria-labelledby="${panel}-${id}-title ${panel}-${id}-desc"`);
    const charts = html.match(/<svg role="img"/g) ?? [];
    expect(charts).toHaveLength(2 * 3 + 2 + 2);
    expect(html.match(/<desc /g)).toHaveLength(charts.length);
  });

  test("marks each growth on each curve, with width and sizes", () => {
    expect(html.match(/<g class="rule arm-0"><title>grown, step 300: hidden1 8→16<\/title>/g)).toHaveLength(
      6,
    );
    expect(html.match(/>hidden1 16→32<\/text>/g)).toHaveLength(6);
  });

  test("puts the rules at the FLOPs and the time of the growth", () => {
    const rule = (id: string) => {
      const chart = html.slice(html.indexOf(`id="loss-${id}-title"`));
      return Number(/class="rule arm-0">.*?<path d="M([\d.]+)/.exec(chart)?.[1]);
    };
    // By step 300 of 1,000 the grown arm has spent far less than 30 % of the other's total.
    expect(rule("flops")).toBeLessThan(rule("steps") - 40);
  });

  test("reports the outcome", () => {
    const text = html.replace(/<[^>]*>/g, "").replaceAll("\u00a0", " ");
    const { loss, accuracy } = arm(run).final as { loss: number; accuracy: number };
    expect(text).toContain(
      `grown ended with a loss of ${loss.toPrecision(4)} and an accuracy of ${(accuracy * 100).toFixed(1)} %, with 2,410 parameters, after 1,000 steps, 563 MFLOP and 100 ms of training.`,
    );
    expect(text).toContain("It grew twice (hidden1 8 → 16 → 32). Both growths preserved the function");
    expect(text).toContain("1 of the 2 changed not a single bit");
    expect(text).toContain("from scratch ended with");
    expect(text).toContain("used 62.5 % of its FLOPs");
  });

  test("uses a logarithmic axis only for a loss over more than 1.5 decades", () => {
    expect(html).toContain("test loss (logarithmic)");
    const flat = run.arms.map((one) => ({
      ...one,
      points: one.points.map((point, index) => ({
        ...point,
        trainLoss: 0.9,
        test: { loss: index === 0 ? 1 : 0.1, accuracy: 0.5 },
      })),
    }));
    expect(htmlReport({ ...run, arms: flat })).not.toContain("logarithmic");
  });
});

test("names from a model stay text, everywhere", () => {
  const evil = `</title></style><script>alert("1")</script><img src=x onerror='x'>&lt;`;
  const run = sampleRun();
  const widths = { [evil]: 8 };
  const html = htmlReport({
    title: evil,
    date: evil,
    configuration: { [evil]: evil },
    metric: evil,
    arms: [
      {
        ...arm(run),
        name: evil,
        growths: [{ ...sampleGrowth(300, evil, 8, 16), strategy: evil }],
        diagnoses: [sampleDiagnosis(0, widths), sampleDiagnosis(500, widths)],
        points: arm(run).points.map((point) => ({ ...point, test: { loss: 1, [evil]: 0.5 }, widths })),
        final: { loss: 1, [evil]: 0.5 },
      },
    ],
  });
  assertWellFormed(html);
  expect(html).not.toMatch(/<script|<img/);
  expect(html.match(/<title>/g)?.length).toBe(1 + 6);
  expect(html.match(/<\/style>/g)).toHaveLength(1);
});

describe("unusual runs", () => {
  const run = sampleRun();

  test("no arms", () => assertSound(htmlReport({ ...run, arms: [] })));

  test("an arm without points", () => {
    assertSound(htmlReport({ ...run, arms: [{ ...arm(run), points: [], diagnoses: [] }] }));
  });

  test("one point, no metric, no growth, no diagnosis, no configuration", () => {
    const { metric: _, ...single } = sampleRun(1);
    const html = htmlReport({
      ...single,
      configuration: {},
      arms: [{ ...arm(single), growths: [], diagnoses: [] }],
    });
    assertSound(html);
    expect(html).toContain("No width grew in this run.");
    expect(html).toContain("Not diagnosed.");
    expect(html).toContain('class="marker arm-0"');
  });

  test("a run that diverged", () => {
    const points = arm(run).points.map((point, index) =>
      index < 20
        ? point
        : {
            ...point,
            trainLoss: index % 2 ? Number.POSITIVE_INFINITY : Number.NaN,
            test: { loss: Number.NaN, accuracy: Number.NaN },
          },
    );
    const final = { loss: Number.NaN, accuracy: Number.NaN };
    const html = htmlReport({ ...run, arms: [{ ...arm(run), points, final }, arm(run, 1)] });
    assertSound(html);
    expect(html).toContain("ended with a loss of <b>not a number</b>");
  });

  test("nothing finite at all", () => {
    const none = Number.NaN;
    const points = arm(run).points.map(({ test: _, ...point }) => ({
      ...point,
      flops: none,
      seconds: none,
      trainLoss: none,
    }));
    const html = htmlReport({ ...run, arms: [{ ...arm(run), points, final: { loss: none } }] });
    assertSound(html);
    expect(html).toContain("Not measured in this run.");
  });

  test("without test data the training loss is the curve", () => {
    const points = arm(run).points.map(({ test: _, ...point }) => point);
    const { metric: _, ...rest } = run;
    const html = htmlReport({ ...rest, arms: [{ ...arm(run), points }] });
    assertSound(html);
    expect(html).toContain("training loss (logarithmic)");
    expect(html).not.toContain('class="line faint');
  });

  test("a growth that broke its promises is pointed out", () => {
    const good = sampleGrowth(300, "hidden1", 8, 16);
    const broken = {
      ...good,
      output: { maxDifference: 0.03, roundingBound: 1e-6, preserved: false, identical: false },
      newUnits: good.newUnits.map((unit) => ({ ...unit, dead: true, gradientNorm: 0 })),
      identicalUnits: [[8, 9]],
    };
    const html = htmlReport({ ...run, arms: [{ ...arm(run), growths: [broken] }] });
    assertSound(html);
    expect(html).toContain('<strong class="bad">It did not preserve the function</strong>');
    expect(html).toContain(
      "8\u00a0new units had no gradient, or no activation, on the one batch seen at birth.",
    );
    expect(html).toContain('<strong class="bad">no</strong>');
    expect(html).not.toContain("Not preserved: 0");
  });

  test("a layer in trouble names its units", () => {
    const [seen] = sampleDiagnosis(900, { hidden1: 32 }).widths;
    const sick = {
      ...(seen as NonNullable<typeof seen>),
      dead: [{ unit: 3, reason: "zero gradient" as const }],
      identical: [[4, 5, 6]],
      collapsing: [{ units: [7, 8] as const, weights: 0.9995, activations: 1 }],
    };
    const html = htmlReport({ ...run, arms: [{ ...arm(run), diagnoses: [{ step: 900, widths: [sick] }] }] });
    assertSound(html);
    expect(html).toContain("dead 3 (zero gradient); identical {4, 5, 6}; collapsing 7 and 8");
    expect(html).not.toContain(">healthy<");
  });

  test("thousands of points and hundreds of growths stay a small file", () => {
    const long = sampleRun(20_000, 1);
    const growths = Array.from({ length: 300 }, (_, i) => sampleGrowth(i * 60, "hidden1", i + 1, i + 2));
    const html = htmlReport({ ...long, arms: [{ ...arm(long), growths }, arm(long, 1)] });
    assertSound(html);
    expect(html.length).toBeLessThan(1_500_000);
    // A staircase has two corners for each point.
    for (const [, d = ""] of html
      .split("Widths over time")[0]
      ?.matchAll(/class="line (?:strong|faint) arm-\d" d="([^"]*)"/g) ?? [])
      expect(d.split(/[ML]/).length - 1).toBeLessThanOrEqual(600 + 1);
    expect(html).toContain("100 of 20,000\u00a0points");
  });
});
