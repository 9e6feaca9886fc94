import { withParameters } from "../../../src/graph/model.ts";
import { widthOf } from "../../../src/growth/find/widths.ts";
import { applyPlan } from "../../../src/growth/grow/apply.ts";
import { planGrowth } from "../../../src/growth/plan/plan.ts";
import type { ScoreName } from "../../../src/growth/scores/index.ts";
import { candidates } from "../../../src/growth/strategies/candidates.ts";
import {
  EspalierError,
  type Model,
  type StrategyName,
  sgd,
  type Tensor,
  Trainer,
  widths,
} from "../../../src/index.ts";
import type { Exchange } from "./exchange.ts";
import { type ModelSpec, modelOf } from "./layers.ts";
import { dataOf, type RunSpec } from "./training.ts";

/** One width of one model on data; weights are called `${id}.weights.${parameter}`. */
interface Asked {
  readonly id: string;
  readonly model: ModelSpec;
  readonly loss: RunSpec["loss"];
  readonly width: string;
  readonly seed: number;
  /** Examples held in memory at a time. */
  readonly batchSize: number;
  /** Number of candidates whose weights are reported. */
  readonly drawn: number;
  readonly growths: readonly { readonly strategy: StrategyName; readonly by: number }[];
  readonly scores: readonly { readonly method: ScoreName; readonly units: number }[];
}

interface Answered {
  /** By strategy: the picks and the record, or the reason for refusing. */
  readonly growths: Readonly<Record<string, unknown>>;
  readonly scores: Readonly<Record<string, unknown>>;
}

/**
 * Widens each width by each strategy from the same weights, and scores it by each method. Answers the grown weights as
 * `${id}.${strategy}.${parameter}`, and as `${id}.drawn.${parameter}` those of all candidates side by side.
 */
export async function strategies(exchange: Exchange): Promise<void> {
  const given = await exchange.tensors();
  const tensors = new Map<string, Tensor>();
  const answers: Record<string, Answered> = {};
  for (const asked of await exchange.asked<readonly Asked[]>()) {
    const keep = (kind: string, { graph }: Model) => {
      for (const [name, tensor] of graph.parameters) tensors.set(`${asked.id}.${kind}.${name}`, tensor);
    };
    answers[asked.id] = await answer(asked, given, keep);
  }
  await exchange.answer(answers, tensors);
}

async function answer(
  { id, model: spec, loss, width, seed, batchSize, drawn, ...asked }: Asked,
  given: ReadonlyMap<string, Tensor>,
  keep: (kind: string, model: Model) => void,
): Promise<Answered> {
  const model = weighted(modelOf(spec), `${id}.weights.`, given);
  const data = dataOf(id, given);
  const sample = { examples: data.count, batchSize };
  const trainer = await Trainer.create(model, { loss, seed, optimizer: sgd({ learningRate: 0.1 }) });
  const start = trainer.state();
  const growths: Record<string, unknown> = {};
  for (const { strategy, by } of asked.growths) {
    growths[strategy] = await orReason(async () => {
      const { output, plan } = await trainer.widen(width, { by, strategy, data, ...sample });
      keep(strategy, trainer.model);
      await trainer.restore(start);
      return { picks: plan.choice?.picks ?? null, preserved: output.preserved };
    });
  }
  const scored: Record<string, unknown> = {};
  for (const { method, units } of asked.scores) {
    const [score] = await trainer.score(data, { ...sample, method, units, widths: [width] });
    scored[method] = score;
  }
  await trainer.dispose();
  keep("drawn", withCandidates(model, width, drawn, seed));
  return { growths, scores: scored };
}

function weighted(model: Model, prefix: string, given: ReadonlyMap<string, Tensor>): Model {
  const names = [...model.graph.parameters.keys()];
  return withParameters(
    model,
    new Map(
      names.map((name) => [name, given.get(prefix + name) ?? (model.graph.parameters.get(name) as Tensor)]),
    ),
  );
}

/** The model with the first candidates as units, in order, whatever their gains. */
function withCandidates(model: Model, width: string, count: number, seed: number): Model {
  const picks = Array.from({ length: count }, (_, index) => index);
  const plan = planGrowth(widthOf(widths(model), width), {
    by: count,
    strategy: candidates,
    seed,
    choice: { picks },
  });
  return applyPlan(model, plan, candidates);
}

async function orReason<T>(grow: () => Promise<T>): Promise<T | { readonly refused: string }> {
  try {
    return await grow();
  } catch (error) {
    if (error instanceof EspalierError) return { refused: error.rule };
    throw error;
  }
}
