import { EspalierError } from "../../tensor/errors.ts";
import { type LossChoice, losses, lossNamed } from "../losses/index.ts";
import type { Loss } from "../losses/loss.ts";
import { optimizerOf, optimizers } from "../optimizers/index.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { LossTerm } from "../settings/task-options.ts";

/** The caller's own records, which a checkpoint only names. */
export interface Own {
  readonly optimizer?: Optimizer;
  readonly loss?: Loss | readonly Loss[];
}

type StoredLoss = Exclude<LossChoice, Loss> | Pick<Loss, "name" | "options">;

/** A term whose loss is named by a checkpoint. */
type StoredTerm = Omit<LossTerm, "loss"> & { readonly loss?: StoredLoss };

/** The optimizer that a checkpoint names. Throws `ARGUMENT`. */
export function optimizerAgain(
  { name, options, learningRate }: Pick<Optimizer, "name" | "options" | "learningRate">,
  own: Optimizer | undefined,
): Optimizer {
  if (own !== undefined) return sameName("optimizer", own, name);
  if (Object.hasOwn(optimizers, name)) return optimizerOf(name, options, learningRate);
  throw missingRecord("optimizer", name);
}

/** The loss that a checkpoint names by its name alone, or by a record without its functions. Throws `ARGUMENT`. */
export function lossAgain(stored: StoredLoss, own: Own["loss"]): LossChoice {
  if (typeof stored === "object" && "output" in stored) return stored;
  const name = typeof stored === "string" ? stored : stored.name;
  const given = own === undefined ? [] : [own].flat();
  const [first] = given;
  if (first !== undefined) return given.find((loss) => loss.name === name) ?? sameName("loss", first, name);
  if (typeof stored === "string") return stored;
  if (Object.hasOwn(losses, name)) return lossNamed(name, stored.options);
  throw missingRecord("loss", name);
}

/** The terms whose losses a checkpoint names; `own` may have other losses as well. Throws `ARGUMENT`. */
export function termsAgain(stored: readonly StoredTerm[], own: Own["loss"]): readonly LossTerm[] {
  const given = own === undefined ? [] : [own].flat();
  const nameOf = ({ loss }: StoredTerm) => (typeof loss === "object" && "name" in loss ? loss.name : loss);
  const stray = given.find(({ name }) => !stored.some((term) => nameOf(term) === name));
  if (stray !== undefined) sameName("loss", stray, stored.map(nameOf).join(", "));
  return stored.map(({ loss, ...term }) => {
    if (loss === undefined) return term;
    return {
      ...term,
      loss: lossAgain(
        loss,
        given.find(({ name }) => name === nameOf({ loss })),
      ),
    };
  });
}

function sameName<Record extends { readonly name: string }>(kind: string, own: Record, name: string): Record {
  if (own.name === name) return own;
  throw new EspalierError("ARGUMENT", {
    thing: kind,
    rule: `must be the one that the checkpoint was written with, "${name}"`,
    received: own.name,
    remedy: "Leave it out, or start a new run on trainer.model.",
  });
}

function missingRecord(kind: "optimizer" | "loss", name: string): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: kind,
    rule: `must be given to resume a checkpoint whose ${kind} is your own: it stores the name, not the functions`,
    received: name,
    remedy: `Trainer.resume(source, { ${kind} }) with the one called "${name}".`,
  });
}
