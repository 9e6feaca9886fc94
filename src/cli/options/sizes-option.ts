import type { Model } from "../../graph/model.ts";
import { didYouMean } from "../../tensor/unknown-name.ts";
import type { Sizes } from "../../training/settings/task-options.ts";
import { badOption, wholeNumber } from "./option-values.ts";

export const sizesHelp =
  "sizes of an example that the model leaves open, such as height=32,width=32 (default: as the data have them)";

/** "batch=3,sequence=7" as sizes of a model's symbolic axes. Throws `USAGE`, naming the model's axes. */
export function parseSizes(text: string, model: Model): Readonly<Record<string, number>> {
  const symbols = symbolsOf(model);
  const sizes: Record<string, number> = {};
  for (const part of text.split(",")) {
    const at = part.lastIndexOf("=");
    const name = part.slice(0, Math.max(at, 0)).trim();
    if (at < 1) throw badOption("--sizes", "must be NAME=SIZE, such as batch=3,sequence=7", text);
    if (!symbols.includes(name)) {
      const known = symbols.length === 0 ? "The model has none." : `It has ${symbols.join(", ")}.`;
      const remedy = [didYouMean(name, symbols), known].filter((part) => part !== undefined).join(" ");
      throw badOption("--sizes", "must name symbolic axes of the model's inputs", name, remedy);
    }
    sizes[name] = wholeNumber(`size of ${name} in --sizes`, part.slice(at + 1).trim());
  }
  return sizes;
}

/**
 * Each `--sizes` of a check; sizes that one leaves open are those of the data, if there are data. Throws
 * `USAGE`.
 */
export function sizesOfChecks(texts: readonly string[], model: Model, seen: Sizes = {}): readonly Sizes[] {
  return texts.map((text) => ({ ...seen, ...parseSizes(text, model) }));
}

/** Names of the symbolic axes of a model's inputs. */
function symbolsOf({ graph }: Model): readonly string[] {
  const inputs = graph.inputs.filter(({ name }) => !graph.parameters.has(name));
  return [...new Set(inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string")))];
}

/** The batch axis: the first axis of the first input whose first axis is symbolic. */
export function batchAxis({ graph }: Model): string | undefined {
  for (const { name, shape } of graph.inputs) {
    if (!graph.parameters.has(name) && typeof shape[0] === "string") return shape[0];
  }
  return undefined;
}
