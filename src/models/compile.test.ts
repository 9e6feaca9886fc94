import { describe, expect, it } from "vitest";
import { Session } from "../engine/session.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import { int, ints, makeModel, text } from "../graph/model.ts";
import { newGraph } from "../ops/index.ts";
import { Random } from "../tensor/random.ts";
import { float32, int32, sizeOf, type Tensor } from "../tensor/tensor.ts";
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

describe("ConvTranspose on two threads", () => {
  for (const [what, attributes, dims] of [
    ["with padding", { pads: ints([1, 0, 1, 2]) }, [4, 3, 3, 4]],
    ["with dilations", { dilations: ints([2, 3]) }, [4, 3, 2, 3]],
    ["with more padding than kernel", { pads: ints([3, 3, 0, 0]) }, [4, 3, 2, 3]],
    ["with strides", { strides: ints([2, 1]) }, [4, 3, 3, 2]],
    ["with groups", { group: int(2) }, [4, 3, 3, 3]],
    ["along one axis", { pads: ints([1, 1]) }, [4, 3, 3]],
  ] as const) {
    for (const biased of [false, true]) {
      it(`is what ONNX Runtime's own kernel makes of it: ${what}${biased ? ", with a bias" : ""}`, async () => {
        const random = new Random(11, 1);
        const filled = (shape: readonly number[]) =>
          float32(
            shape,
            Float32Array.from({ length: sizeOf(shape) }, () => 2 * random.uniform() - 1),
          );
        const groups = "group" in attributes ? 2 : 1;
        const given = {
          x: filled([2, 4, ...dims.slice(2).map((size) => size + 5)]),
          w: filled(dims),
          ...(biased ? { b: filled([3 * groups]) } : {}),
        };
        const graph = newGraph();
        for (const [name, { dtype, dims }] of Object.entries(given))
          graph.input(name, { dtype, shape: dims });
        const y = graph.emit("ConvTranspose", Object.keys(given), attributes);
        const results = [];
        for (const threads of [1, 2]) {
          const session = await compile(graph, [y], { threads });
          results.push((await session.run(given, { [y]: null }))[y] as Tensor<"float32">);
          await session.release();
        }
        const [own, lowered] = results as [Tensor<"float32">, Tensor<"float32">];
        expect(lowered.dims).toEqual(own.dims);
        own.data.forEach((value, at) => {
          expect(Math.abs((lowered.data[at] as number) - value)).toBeLessThan(1e-5);
        });
      });
    }
  }
});
