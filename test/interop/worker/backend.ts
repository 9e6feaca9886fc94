import { readFile, writeFile } from "node:fs/promises";
import { decodeModel, encodeModel } from "../../../src/formats/onnx/index.ts";
import type { Model } from "../../../src/graph/model.ts";
import { flowMap } from "../../../src/growth/find/axis-map.ts";
import { findWidths } from "../../../src/growth/find/widths.ts";
import { inferTypes } from "../../../src/ops/infer.ts";
import { opsetOf, upgradeOpset } from "../../../src/ops/rewrites/upgrade.ts";
import { EspalierError } from "../../../src/tensor/errors.ts";
import type { Exchange } from "./exchange.ts";

/** Reads `${id}.onnx` for each id, and reports the inferred output types, or the error. */
export async function backend(exchange: Exchange): Promise<void> {
  const answers: Record<string, unknown> = {};
  for (const id of await exchange.asked<readonly string[]>()) {
    const bytes = new Uint8Array(await readFile(exchange.path(`${id}.onnx`)));
    answers[id] = await attempt(async () => {
      const model = decodeModel(bytes);
      const described = describe(model);
      // Without rules it is passed on unchanged; with rules it must also mean the same after an upgrade.
      const written = described.ruled ? attemptToRaise(model) : model;
      await writeFile(exchange.path(`${id}.written.onnx`), encodeModel(written));
      return { ...described, raised: written !== model };
    });
  }
  await exchange.answer(answers, new Map());
}

function describe(model: Model) {
  // The file's declared output types are ignored: the rules must infer them.
  const bare: Model = { ...model, graph: { ...model.graph, outputs: [], stated: new Map() } };
  const types = inferTypes(bare.graph);
  const flows = flowMap(model.graph, opsetOf(model));
  return {
    ruled: model.graph.nodes.every((node) => flows.isRuled(node)),
    inputs: model.graph.inputs.map(({ name, shape }) => ({ name, shape })),
    types: model.graph.outputs.map(({ name }) => types.get(name)),
    widths: findWidths(model).length,
  };
}

function attemptToRaise(model: Model): Model {
  try {
    return upgradeOpset(model);
  } catch (error) {
    if (error instanceof EspalierError && error.code !== "INVALID_MODEL") return model;
    // Opsets before 7 broadcast differently.
    if (error instanceof EspalierError && opsetOf(model) < 7) return model;
    throw error;
  }
}

async function attempt(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    const code = error instanceof EspalierError ? error.code : "CRASH";
    return {
      code,
      message: error instanceof Error ? (code === "CRASH" ? error.stack : error.message) : String(error),
    };
  }
}
