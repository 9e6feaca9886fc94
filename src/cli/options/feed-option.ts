import { Option } from "commander";
import type { Model } from "../../graph/model.ts";
import type { GivenValues } from "../../training/verification/sample-inputs.ts";
import { badOption } from "./option-values.ts";

/** `--feed` of the commands that run a model on random inputs. */
export function feedOption(): Option {
  return new Option(
    "--feed <values>",
    "INPUT=VALUE for an input that is not to be drawn, such as sr=16000; repeatable",
  )
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], "none");
}

/** "sr=16000" or "scales=1,1,2,2" as values of inputs. Throws `USAGE`, naming the model's inputs. */
export function readFeeds(texts: readonly string[], { graph }: Model): GivenValues {
  const names = graph.inputs.map(({ name }) => name).filter((name) => !graph.parameters.has(name));
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      const name = text.slice(0, Math.max(at, 0)).trim();
      if (at < 1) throw badOption("--feed", "must be INPUT=VALUE, such as sr=16000", text);
      if (!names.includes(name)) {
        throw badOption("--feed", "must name an input of the model", name, `It has ${names.join(", ")}.`);
      }
      const values = text.slice(at + 1).split(",");
      return [name, values.map((value) => givenValue(value.trim()))];
    }),
  );
}

function givenValue(text: string): number | string {
  if (text === "true" || text === "false") return Number(text === "true");
  return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
}
