import { int } from "../../graph/model.ts";
import { type DType, isFloat } from "../../tensor/dtype.ts";
import { addBounds, computedBound, unitRoundoff } from "../rules/bounds.ts";
import { flowMoved, flowThroughZero } from "../rules/broadcast.ts";
import { codeOfDtype, dtypeOfCode } from "../rules/element-types.ts";
import { constantIntegers } from "../rules/integer-folding.ts";
import { keepsOrder } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { numbersOf, sized, sizesOf, withValue } from "../rules/sizes.ts";

function named(call: Call): DType {
  return dtypeOfCode(`node "${call.node.name}" (Cast)`, call.int("to", 0));
}

/** Unit roundoff of element types with fewer bits than float32. */
const narrow: { readonly [D in DType]?: number } = { float16: 2 ** -11, bfloat16: 2 ** -8 };

/** Rules of operators that cast input 0 to the element type that `target` returns. */
export function castTo(target: (call: Call) => DType): Operator {
  return {
    infer(call) {
      const dtype = target(call);
      if (dtype === "bool") {
        const truths = numbersOf(call, 0)?.map((value) => Number(value !== 0));
        return [sized({ dtype, shape: call.shape(0) }, truths)];
      }
      const sizes = sizesOf(call, 0);
      // Symbolic sizes are integers; a number that is not would be truncated.
      const whole = sizes?.every((size) => typeof size === "string" || Number.isInteger(size));
      return [withValue({ dtype, shape: call.shape(0) }, whole || isFloat(dtype) ? sizes : undefined)];
    },
    gradient(call) {
      const { dtype } = call.input(0);
      if (!isFloat(dtype) || !isFloat(target(call))) return [undefined];
      return [call.graph.emit("Cast", [call.upstream], { to: int(codeOfDtype(dtype)) })];
    },
    // Rounding to fewer bits, or to integers, does not keep a mean.
    axes: (call) =>
      (target(call) === "float32" || target(call) === "float64" ? flowMoved : flowThroughZero)(call),
    interval: keepsOrder,
    rounding(call) {
      const [bound] = call.inputBounds;
      const from = call.input(0).dtype;
      const to = target(call);
      if (!isFloat(to)) {
        // Truncation may jump by 1 within the bound; booleans change by at most 1.
        return bound === undefined || !isFloat(from) ? bound : addBounds(call, bound, call.graph.scalar(1));
      }
      const unit = narrow[to];
      if (unit !== undefined) {
        const wide = call.graph.emit("Cast", [call.node.outputs[0] as string], { to: int(1) });
        const own = call.graph.emit("Mul", [call.graph.emit("Abs", [wide]), call.graph.scalar(unit)]);
        return addBounds(call, bound, own);
      }
      const rounds = from === "int32" || from === "int64" || from === "uint32" || from === "uint64";
      if (to === "float32" && (rounds || from === "float64")) {
        return addBounds(call, bound, computedBound(call, unitRoundoff));
      }
      return bound;
    },
    moves: true,
    constant(call) {
      const [from] = constantIntegers(call) ?? [];
      return from === undefined || from.dtype !== target(call) ? undefined : from;
    },
    flops: () => 0,
  };
}

/** y = x in another element type. A gradient passes between floating-point types only. ONNX Cast-19. */
export const cast: Operator = castTo(named);
