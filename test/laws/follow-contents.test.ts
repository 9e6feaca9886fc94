import fc from "fast-check";
import { expect, test } from "vitest";
import { axisKey, flowMap } from "../../src/growth/find/axis-map.ts";
import { FollowedContents, followContents } from "../../src/growth/find/follow-contents.ts";
import { traceWidth } from "../../src/growth/find/trace.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import type { Contents } from "../../src/ops/rules/contents.ts";
import { architectures, modelOf } from "./random-graphs/architecture.ts";
import { lawRuns } from "./seed.ts";

test("contents updated after one change equal those computed from scratch", () => {
  let [accepted, refused] = [0, 0];
  const held = fc.infiniteStream(fc.constantFrom<Contents>("any", "mean", "zero"));
  const property = fc.property(architectures(false), held, (architecture, contents) => {
    const { model } = modelOf(architecture);
    const flows = flowMap(model.graph);
    for (const { parts, size } of findWidths(model)) {
      const [first] = parts;
      if (first === undefined) continue;
      const { parameter: value, axis, layout } = first;
      const trace = traceWidth(flows, { value, axis, layout, units: size });
      let fresh = new Map(
        parts.map((part): [string, Contents] => [axisKey(part.parameter, part.axis), "zero"]),
      );
      const isPassed = (all: ReadonlyMap<string, Contents>) =>
        !("blocked" in followContents(flows, trace, new Map(all), new Set()));
      if (!isPassed(fresh)) continue;
      const followed = new FollowedContents(flows, trace, fresh, new Set());
      for (const part of parts) {
        const content = contents.next().value as Contents;
        const changed = new Map(fresh).set(axisKey(part.parameter, part.axis), content);
        const passes = isPassed(changed);
        expect(followed.accept(part.parameter, part.axis, content)).toBe(passes);
        if (passes) fresh = changed;
        passes ? accepted++ : refused++;
      }
    }
  });
  const runs = lawRuns("contents followed on", 60);
  fc.assert(property, runs);
  expect(Math.min(accepted, refused)).toBeGreaterThan(runs.numRuns / 4);
});
