import { readFile, writeFile } from "node:fs/promises";
import { decodeModel, encodeModel } from "../../../src/formats/onnx/index.ts";
import type { Graph, Model } from "../../../src/graph/model.ts";
import { findWidths } from "../../../src/growth/find/widths.ts";
import { grow } from "../../../src/growth/grow/grow-model.ts";
import type { Width } from "../../../src/growth/plan/width.ts";
import { foldIntegers } from "../../../src/ops/rewrites/floats/fold-integers.ts";
import { ownParameters } from "../../../src/ops/rewrites/own-parameters.ts";
import { isFloat } from "../../../src/tensor/dtype.ts";
import { EspalierError } from "../../../src/tensor/errors.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import type { Exchange } from "./exchange.ts";

const ofTheTask = /reaches the (in|out)put|Softmax normalizes/;

/**
 * Whether nobody would expect a width: the task fixes its size (an output, a state that is fed, a last layer
 * that no weight follows), or it is a score, gate or filter that is a single number.
 */
function isOfTheTask(width: Width, graph: Graph): boolean {
  return width.size === 1 || ofTheTask.test(width.reason) || isLast(width, graph);
}

/** Whether no matrix of weights follows those of a width. */
function isLast({ parts }: Width, { nodes, parameters }: Graph): boolean {
  const own = new Set(parts.map(({ parameter }) => parameter));
  const behind = new Set<string>();
  for (const node of nodes) {
    const makes = node.inputs.some((name) => own.has(name));
    if (!makes && !node.inputs.some((name) => behind.has(name))) continue;
    const matrix = node.inputs.some((name) => !own.has(name) && isMatrix(parameters.get(name)));
    if (!makes && matrix) return false;
    for (const name of node.outputs) behind.add(name);
  }
  return true;
}

function isMatrix(tensor: Tensor | undefined): boolean {
  if (tensor === undefined) return false;
  const isWeight = isFloat(tensor.dtype) || tensor.dtype === "int8" || tensor.dtype === "uint8";
  return isWeight && tensor.dims.filter((size) => size > 1).length >= 2;
}

interface Asked {
  readonly file: string;
  /** How many widths to grow alone, at most. */
  readonly alone: number;
}

/**
 * Reads one file, lists its widths, and writes it with each width grown alone (`grown-0.onnx`, …) and with
 * all (`grown-all.onnx`).
 */
export async function packages(exchange: Exchange): Promise<void> {
  const { file, alone } = await exchange.asked<Asked>();
  await exchange.answer(await examine(exchange, file, alone), new Map());
}

async function examine(exchange: Exchange, file: string, alone: number): Promise<unknown> {
  try {
    const read = ownParameters(decodeModel(new Uint8Array(await readFile(file))));
    const { model: folded, ...changed } = foldIntegers(read);
    const model = folded === read ? read : ownParameters(folded);
    await writeFile(exchange.path("folded.onnx"), encodeModel(model));
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
      growable: growable.map(({ id }) => id),
      folded: changed,
      blocked: widths
        .filter((width) => !width.growable && !isOfTheTask(width, model.graph))
        .map(({ id, reason }) => `${id}: ${reason}`),
      uncovered: uncovered(model, widths),
      grown,
    };
  } catch (error) {
    return { error: error instanceof EspalierError ? `${error.code} ${error.message}` : String(error) };
  }
}

/** Matrices that belong to no width: each should belong to at least one. */
function uncovered({ graph }: Model, widths: readonly Width[]): readonly string[] {
  const known = new Set(widths.flatMap(({ parts }) => parts.map(({ parameter }) => parameter)));
  return [...graph.parameters].flatMap(([name, tensor]) =>
    isMatrix(tensor) && !known.has(name) ? [name] : [],
  );
}
