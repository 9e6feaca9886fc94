import { readFile, writeFile } from "node:fs/promises";
import { decodeModel, encodeModel } from "../../../src/formats/onnx/index.ts";
import type { Model } from "../../../src/graph/model.ts";
import { findWidths } from "../../../src/growth/find/widths.ts";
import { grow } from "../../../src/growth/grow/grow-model.ts";
import type { Width } from "../../../src/growth/plan/width.ts";
import { ownParameters } from "../../../src/ops/rewrites/own-parameters.ts";
import { isFloat } from "../../../src/tensor/dtype.ts";
import { EspalierError } from "../../../src/tensor/errors.ts";
import type { Exchange } from "./exchange.ts";

const ofTheTask = /reaches the (in|out)put|Softmax normalises/;

interface Asked {
  readonly file: string;
  /** How many widths to grow alone, at most. */
  readonly alone: number;
}

/** Reads one file, lists its widths, and writes it with each grown alone (`grown-0.onnx`, …) and with all (`grown-all.onnx`). */
export async function packages(exchange: Exchange): Promise<void> {
  const { file, alone } = await exchange.asked<Asked>();
  await exchange.answer(await examine(exchange, file, alone), new Map());
}

async function examine(exchange: Exchange, file: string, alone: number): Promise<unknown> {
  try {
    const model = ownParameters(decodeModel(new Uint8Array(await readFile(file))));
    const widths = findWidths(model);
    const growable = widths.filter((width) => width.growable);
    const grown: { readonly name: string; readonly error?: string }[] = [];
    const write = async (name: string, steps: Parameters<typeof grow>[1]) => {
      try {
        await writeFile(exchange.path(`${name}.onnx`), encodeModel(grow(model, steps).model));
        grown.push({ name });
      } catch (error) {
        if (!(error instanceof EspalierError)) throw error;
        grown.push({ name, error: error.message });
      }
    };
    for (const [index, { id, multiple }] of growable.slice(0, alone).entries()) {
      await write(`grown-${index}`, [{ width: id, by: multiple }]);
    }
    if (growable.length > 0) await write("grown-all", [{ width: "all", times: 2 }]);
    return {
      growable: growable.length,
      // The size of an output, also behind a Softmax over its classes, is the task's, not the network's.
      bordering: widths.filter(({ reason }) => ofTheTask.test(reason)).length,
      blocked: widths
        .filter((width) => !width.growable && !ofTheTask.test(width.reason))
        .map(({ id, reason }) => `${id}: ${reason}`),
      uncovered: uncovered(model, widths),
      grown,
    };
  } catch (error) {
    return { error: error instanceof EspalierError ? `${error.code} ${error.message}` : String(error) };
  }
}

/** Matrices that belong to no width at all: somebody would expect at least one. */
function uncovered({ graph }: Model, widths: readonly Width[]): readonly string[] {
  const known = new Set(widths.flatMap(({ parts }) => parts.map(({ parameter }) => parameter)));
  return [...graph.parameters]
    .filter(
      ([name, { dtype, dims }]) =>
        (isFloat(dtype) || dtype === "int8") &&
        dims.filter((size) => size > 1).length >= 2 &&
        !known.has(name),
    )
    .map(([name]) => name);
}
