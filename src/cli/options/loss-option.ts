import { type LossOf, losses, lossNamed, lossOf } from "../../training/losses/index.ts";
import { choicesHelp, namedChoice } from "./named-choice.ts";

export const lossHelp = `NAME or NAME:OPTION=VALUE: ${choicesHelp(losses)} (default: by the data and the model)`;

/** The loss that `--loss` names, such as huber or huber:delta=2. Throws `USAGE`. */
export function lossOption(text: string | undefined): LossOf | undefined {
  if (text === undefined) return undefined;
  const { name, options } = namedChoice("--loss", text, losses);
  return Object.keys(options).length === 0 ? name : lossNamed(name, options);
}

/** What the output is, according to the loss. */
export const predictsOf = (loss: LossOf) => lossOf(loss).predicts;
