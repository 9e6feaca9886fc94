import { int } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { zeros } from "../tensor/tensor.ts";
import { initialWeights } from "./initialize.ts";
import type { Layer } from "./layer.ts";
import { positiveWhole } from "./layer-size.ts";

export interface LinearOptions {
  readonly name?: string;
  /** Default true. */
  readonly bias?: boolean;
  /** Gain of the initial weights; default √2, and 1 for the last layer. */
  readonly gain?: number;
}

const optionNames: OptionNames<LinearOptions> = { name: true, bias: true, gain: true };

/** y = x·Wᵀ + b with W of shape [units, features]. Input [batch, features], output [batch, units]. ONNX Gemm. */
export function linear(units: number, options: LinearOptions = {}): Layer {
  checkOptionNames("linear", options, optionNames);
  positiveWhole("linear", "units", units);
  return {
    kind: "hidden",
    ...(options.name === undefined ? {} : { name: options.name }),
    build({ graph, name, last, random }, input) {
      const [, features] = graph.typeOf(input).shape;
      if (graph.typeOf(input).shape.length !== 2 || typeof features !== "number") {
        throw new EspalierError("SHAPE_MISMATCH", {
          thing: `layer "${name}"`,
          rule: "needs an input of shape [batch, features]",
          received: graph.typeOf(input).shape,
          remedy: "Put flatten() before it.",
        });
      }
      const gain = options.gain ?? (last ? 1 : Math.SQRT2);
      const weight = graph.parameter(
        `${name}.weight`,
        initialWeights([units, features], gain, random("weight")),
      );
      const inputs = [input, weight];
      if (options.bias ?? true) inputs.push(graph.parameter(`${name}.bias`, zeros("float32", [units])));
      return graph.emit("Gemm", inputs, { transB: int(1) }, name);
    },
  };
}
