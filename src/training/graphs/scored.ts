import type { GraphBuilder } from "../../graph/builder.ts";
import type { Shape } from "../../graph/dim.ts";
import type { Interval } from "../../ops/rules/interval.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Loss } from "../losses/loss.ts";
import { type Ending, endingOf, isProbability, makerOf, rangeOf } from "./ending.ts";

/** What a loss and its metrics are computed from, and notes on that for the user. */
export interface Scored {
  readonly value: string;
  readonly notes: readonly string[];
}

const isBounded = ({ least, most }: Interval) => Number.isFinite(least) && Number.isFinite(most);

/** Probabilities are clipped to at least this distance from 0 and 1 before their logits are computed. */
const margin = 1e-7;

/**
 * The logits of an output, for a loss that takes logits: the input of the final function that the loss inverts, or
 * the logits of probabilities. Throws `ARGUMENT` for an output that cannot be logits.
 */
export function writeScored(graph: GraphBuilder, loss: Loss, output: string): Scored {
  const { inverts } = loss;
  const { shape } = graph.typeOf(output);
  if (inverts === undefined || isLoneClass(loss, shape)) return { value: output, notes: [] };
  const ending = endingOf(graph, output);
  if (ending !== undefined && takesBack(inverts, ending, shape.length)) {
    return {
      value: writeBefore(graph, ending),
      notes: [
        `output "${output}" ends in ${ending.operator}, which ${loss.name} computes itself: its input "${ending.before}" is trained`,
      ],
    };
  }
  const range = rangeOf(graph, output);
  if (ending === undefined && !isBounded(range)) return { value: output, notes: [] };
  if (inverts.probabilities && isProbability(range)) {
    return {
      value: logitsOf(graph, output),
      notes: [
        `output "${output}" is between 0 and 1: ${loss.name} takes its values as probabilities, not as logits`,
      ],
    };
  }
  throw notLogits(graph, loss, output, ending, range);
}

/** Whether the loss has only a single class to choose; labels other than 0 are refused once there are data. */
function isLoneClass({ classes, inverts }: Loss, shape: Shape): boolean {
  return inverts?.axis !== undefined && classes(shape) === 1;
}

function takesBack(inverts: NonNullable<Loss["inverts"]>, { link }: Ending, rank: number): boolean {
  return (
    inverts.links.includes(link.name) && (inverts.axis === undefined || inverts.axis(rank) === link.axis)
  );
}

/** The values before the link, moved as the model moves those after it. */
function writeBefore(graph: GraphBuilder, { before, moves }: Ending): string {
  return moves.reduce(
    (value, { op, inputs, attributes }) => graph.emit(op, [value, ...inputs.slice(1)], attributes, "logits"),
    before,
  );
}

/** log p − log(1 − p). */
function logitsOf(graph: GraphBuilder, output: string): string {
  const kept = graph.emit("Clip", [output, graph.scalar(margin), graph.scalar(1 - margin)]);
  const rest = graph.emit("Sub", [graph.scalar(1), kept]);
  return graph.emit("Sub", [graph.emit("Log", [kept]), graph.emit("Log", [rest])], {}, "logits");
}

function notLogits(
  graph: GraphBuilder,
  loss: Loss,
  output: string,
  ending: Ending | undefined,
  { least, most }: Interval,
): EspalierError {
  const over = ending?.link.axis === undefined ? "" : ` over axis ${ending.link.axis}`;
  const received =
    ending === undefined ? `values from ${least} to ${most}` : `the output of a ${ending.operator}${over}`;
  const before = ending?.before ?? makerOf(graph, output)?.inputs[0] ?? "";
  return new EspalierError("ARGUMENT", {
    thing: `output "${output}"`,
    rule: `must be logits, numbers of any size, to be trained with ${loss.name}, which computes ${loss.inverts?.says} itself`,
    received,
    remedy: `Train a value before it (output: "${before}", or --output on the command line), or use another loss: meanSquaredError accepts any output.`,
  });
}
