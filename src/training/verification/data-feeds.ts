import type { Dataset } from "../../data/dataset.ts";
import type { Model } from "../../graph/model.ts";
import { Batcher } from "../graphs/batch.ts";
import { fixedBatch, programInputs } from "../graphs/program-inputs.ts";
import { batchAxes } from "../settings/batch-axes.ts";
import type { ComparedData } from "./input-sets.ts";

/** At most this many examples are compared. */
const most = 256;

/** Examples per batch, unless the model fixes the number. */
const usual = 64;

/** The first examples of a data set as batches of a model's inputs. Throws what a trainer throws if they do not fit. */
export function comparedData({ graph }: Model, data: Dataset): ComparedData {
  const inputs = programInputs(graph, batchAxes(graph, graph.outputs[0]?.shape ?? [], undefined));
  const size = fixedBatch({ inputs }) ?? Math.min(usual, data.count);
  const count = Math.max(1, Math.floor(Math.min(most, data.count) / size));
  // If a model fixes a batch larger than the data, examples repeat.
  const order = Uint32Array.from({ length: Math.max(data.count, size) }, (_, index) => index % data.count);
  const batches = Array.from({ length: count }, (_, at) => {
    const batcher = new Batcher({ inputs, ignored: [], targets: [] }, data);
    return batcher.take(order, at * size, size).feeds;
  });
  return { name: data.name, batches };
}
