import { describe, expect, it } from "vitest";
import { Session } from "../engine/session.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import { int, makeModel, text } from "../graph/model.ts";
import { newGraph } from "../ops/index.ts";
import { Random } from "../tensor/random.ts";
import { float32, int32, type Tensor } from "../tensor/tensor.ts";
import { compile } from "./compile.ts";

/** Scores [4, 5, ...spatial] and labels [4, ...spatial], 3 among them. */
function batch(spatial: readonly number[]): { scores: Tensor; labels: Tensor } {
  const positions = spatial.reduce((product, size) => product * size, 4);
  const random = new Random(7, 1);
  const scores = Array.from({ length: 5 * positions }, () => 8 * random.uniform() - 4);
  const labels = Array.from({ length: positions }, (_, index) => (3 + index) % 5);
  return { scores: float32([4, 5, ...spatial], scores), labels: int32([4, ...spatial], labels) };
}

describe("what operators are lowered to", () => {
  for (const reduction of ["mean", "sum", "none"]) {
    for (const spatial of [[], [2, 3]]) {
      for (const ignored of [{}, { ignore_index: int(3) }]) {
        for (const outputs of [1, 2]) {
          const what = `${reduction}, [4, 5, ${spatial}], ${Object.keys(ignored)}, ${outputs} outputs`;
          it(`is what ONNX Runtime makes of SoftmaxCrossEntropyLoss itself: ${what}`, async () => {
            const { scores, labels } = batch(spatial);
            const graph = newGraph();
            graph.input("scores", { dtype: "float32", shape: scores.dims });
            graph.input("labels", { dtype: "int32", shape: labels.dims });
            const attributes = { reduction: text(reduction), ...ignored };
            const inputs = ["scores", "labels"];
            const names = graph.emitAll("SoftmaxCrossEntropyLoss", inputs, outputs, attributes);
            const asked = Object.fromEntries(names.map((name) => [name, null]));
            const lowered = await compile(graph, names, {});
            for (const name of names) graph.output(name);
            const own = await Session.create(encodeModel(makeModel(graph.build("own"))));
            const results = await lowered.run({ scores, labels }, asked);
            const expected = await own.run({ scores, labels }, asked);
            for (const name of names) {
              const [value, reference] = [results[name] as Tensor, expected[name] as Tensor];
              expect(value.dims).toEqual(reference.dims);
              (reference.data as Float32Array).forEach((number, index) => {
                const error = Math.abs(((value.data as Float32Array)[index] as number) - number);
                expect(error).toBeLessThan(1e-6 * (1 + Math.abs(number)));
              });
            }
            await Promise.all([lowered.release(), own.release()]);
          });
        }
      }
    }
  }
});
