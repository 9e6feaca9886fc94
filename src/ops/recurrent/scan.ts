import type { GraphBuilder } from "../../graph/builder.ts";
import type { Dim } from "../../graph/dim.ts";
import { addDims, multiplyDims, productOfDims } from "../../graph/dim.ts";
import type { Subgraph, ValueType } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { type Call, GraphCall, type Operator } from "../rules/operator.ts";
import type { RulesOf } from "../rules/sweep.ts";

function bodyOf(call: Call): Subgraph {
  const body = Object.hasOwn(call.node.attributes, "body") ? call.node.attributes.body : undefined;
  return body?.kind === "graph" ? body.value : call.fail("needs a body", body?.kind);
}

/**
 * How many inputs are states (the rest are scanned along their first axis), and how many times the body runs.
 */
function parts(call: Call): { readonly states: number; readonly length: Dim } {
  if (!call.has(0)) call.unruled("must have the form of opset 9 or newer, without lengths", call.node.inputs);
  const states = call.node.inputs.length - call.int("num_scan_inputs", 0);
  if (
    call.ints("scan_input_axes")?.some((axis) => axis !== 0) ||
    call.ints("scan_output_axes")?.some((axis) => axis !== 0)
  ) {
    call.unruled("must scan along the first axis", "scan_input_axes or scan_output_axes");
  }
  if (states < 0 || states >= call.node.inputs.length) call.fail("needs an input to scan", states);
  return { states, length: call.shape(states)[0] ?? call.fail("cannot scan a scalar", call.shape(states)) };
}

/** The body with the types of all its values. */
function written(call: GraphCall, states: number): GraphBuilder {
  const inner = call.graph.nested("");
  const body = bodyOf(call);
  body.inputs.forEach(({ name }, index) => {
    const { dtype, shape } = call.input(index);
    inner.input(name, { dtype, shape: index < states ? shape : shape.slice(1) });
  });
  for (const [name, tensor] of body.parameters) inner.parameter(name, tensor);
  for (const node of body.nodes) inner.add(node);
  return inner;
}

/**
 * A loop over the first axis of some inputs that carries other inputs along as states; `body` maps states and
 * slices to new states and slices of the other outputs. Backward passes of recurrent operators use it. ONNX
 * Scan-11. `rulesOf`: the rules of the nodes in the body.
 */
export function scanWith(rulesOf: RulesOf): Operator {
  return {
    infer(call) {
      const { states, length } = parts(call);
      return bodyOf(call).outputs.map((made, index): ValueType => {
        if (index < states) return { dtype: call.input(index).dtype, shape: call.shape(index) };
        const { dtype = "float32", shape } = made;
        if (shape === undefined)
          return call.unruled("the shapes of its body's outputs must be given", made.name);
        return { dtype, shape: [length, ...shape] };
      });
    },
    gradient: "none",
    axes: () => ({ ties: [] }),
    // No error bound is known for the outputs of a loop.
    rounding: (call) =>
      call.node.outputs.map((name) => {
        if (name === "" || !isFloat(call.graph.typeOf(name).dtype)) return undefined;
        return call.graph.emit("Expand", [
          call.graph.scalar(Number.POSITIVE_INFINITY),
          call.graph.emit("Shape", [name]),
        ]);
      }),
    flops(call) {
      // Only a graph under construction knows the values around the body.
      if (!(call instanceof GraphCall)) return productOfDims(call.output(0).shape);
      const { states, length } = parts(call);
      const inner = written(call, states);
      const once = inner.nodes.map((node) => {
        const step = new GraphCall(inner, node);
        return rulesOf(node).flops?.(step) ?? productOfDims(step.output(0).shape);
      });
      return multiplyDims(length, once.reduce(addDims, 0));
    },
  };
}
