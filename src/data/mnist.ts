import { platform } from "#platform";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames } from "../tensor/known-options.ts";
import type { Dataset } from "./dataset.ts";
import { type IdxOptions, loadIdx } from "./idx.ts";
import type { Split } from "./split.ts";

/**
 * MNIST, or a data set in its format, from a folder with the four usual files (`train-images-idx3-ubyte` and so on,
 * with or without `.gz`): features [1, 28, 28], or [784] with `flat`, pixels 0..1, 10 classes by default.
 * Throws `FILE_MISSING` if a file is missing, and what {@link loadIdx} throws.
 */
export async function mnist(folder: string, options: Omit<IdxOptions, "name"> = {}): Promise<Split> {
  checkOptionNames("mnist", options, { flat: true, axes: true, classes: true, maxBytes: true });
  const names = await platform.listFolder(folder);
  const find = (stem: string) => {
    // In some copies a dot precedes "idx".
    const choices = [stem, stem.replace("-idx", ".idx")].flatMap((name) => [name, `${name}.gz`]);
    const found = choices.find((choice) => names.includes(choice));
    if (found !== undefined) return `${folder}/${found}`;
    throw new EspalierError("FILE_MISSING", {
      thing: folder,
      rule: `must contain ${stem} or ${stem}.gz`,
      received: names.slice(0, 12),
      remedy: "Put the four MNIST files into one folder.",
    });
  };
  const load = (part: string, name: string): Promise<Dataset> =>
    loadIdx(find(`${part}-images-idx3-ubyte`), find(`${part}-labels-idx1-ubyte`), {
      classes: 10,
      ...options,
      name,
    });
  const [train, test] = await Promise.all([load("train", "mnist train"), load("t10k", "mnist test")]);
  return { train, test };
}
