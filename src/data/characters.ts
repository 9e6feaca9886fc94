import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { Random } from "../tensor/random.ts";
import { type Dataset, dataset } from "./dataset.ts";
import { readSource, type Source, sourceName } from "./source.ts";
import type { Split } from "./split.ts";

export interface CharactersOptions {
  /** Characters that the network sees. Default 8. */
  readonly context?: number;
  /** Examples to draw for training; default 20,000. */
  readonly train?: number;
  /** Examples to draw for validation, and again for testing; default 4,000. */
  readonly held?: number;
  /** Fraction of the text that validation and testing get each; default 0.1. */
  readonly heldFraction?: number;
  /** Seed for the choice of stretches and positions; default 0. */
  readonly seed?: number;
  /** Names the data in errors and reports; default: the path, or "text". */
  readonly name?: string;
}

const optionNames: OptionNames<CharactersOptions> = {
  context: true,
  train: true,
  held: true,
  heldFraction: true,
  seed: true,
  name: true,
};

export interface CharacterSplit extends Split {
  readonly validation: Dataset;
}

/** Characters in a stretch of the text; each stretch goes to one part as a whole. */
const stretch = 2000;

/**
 * The next character of a text from the `context` characters before it. Features [context, characters] flattened, one-hot;
 * labels are indices into the sorted characters of the text, which are the class names. The text is cut into stretches,
 * each for a single part, so that no window of one part reaches into another; positions are drawn within them without
 * repetition, in the order of the text. Throws `EMPTY_DATA` if the text is too short for the requested examples, and
 * what reading throws.
 */
export async function characters(source: Source, options: CharactersOptions = {}): Promise<CharacterSplit> {
  checkOptionNames("characters", options, optionNames);
  const name = options.name ?? sourceName(source, "text");
  const text = new TextDecoder().decode(await readSource(source, name));
  return charactersOf(text, { ...options, name });
}

/** {@link characters} of a text in memory. */
export function charactersOf(text: string, options: CharactersOptions = {}): CharacterSplit {
  checkOptionNames("characters", options, optionNames);
  const { context = 8, train = 20_000, held = 4_000, heldFraction = 0.1, seed = 0, name = "text" } = options;
  if (!(heldFraction > 0 && heldFraction < 0.5)) {
    throw new EspalierError("ARGUMENT", {
      thing: "heldFraction",
      rule: "must be above 0 and below 0.5: validation and test each take that fraction",
      received: heldFraction,
    });
  }
  const letters = [...new Set(text)].sort();
  const codes = new Map(letters.map((letter, index) => [letter, index]));
  const ids = Uint16Array.from(text, (letter) => codes.get(letter) as number);
  const stretches = Math.max(3, Math.ceil(ids.length / stretch));
  const order = new Random(seed, "characters/stretches").permutation(stretches);
  const heldStretches = Math.max(1, Math.round(heldFraction * stretches));
  const part = (which: string, from: number, to: number, wanted: number): Dataset => {
    const places = placesIn(order.subarray(from, to), ids.length, stretches, context);
    if (places.length < wanted || wanted < 1) {
      throw new EspalierError("EMPTY_DATA", {
        thing: `${name}, ${which}`,
        rule: `has ${places.length} positions with ${context} characters before them`,
        received: wanted,
        remedy: "Ask for fewer examples, or give a longer text.",
      });
    }
    const drawn = new Random(seed, `characters/${which}`)
      .permutation(places.length)
      .subarray(0, wanted)
      .sort();
    const features = new Float32Array(wanted * context * letters.length);
    const labels = new Int32Array(wanted);
    drawn.forEach((pick, row) => {
      const place = places[pick] as number;
      for (let at = 0; at < context; at++) {
        const letter = ids[place - context + at] as number;
        features[(row * context + at) * letters.length + letter] = 1;
      }
      labels[row] = ids[place] as number;
    });
    const featureDims = [context * letters.length];
    return dataset({ name, count: wanted, features, featureDims, labels, classNames: letters });
  };
  return {
    validation: part("validation", 0, heldStretches, held),
    test: part("test", heldStretches, 2 * heldStretches, held),
    train: part("train", 2 * heldStretches, stretches, train),
  };
}

/** Positions whose whole window is within one of the stretches. */
function placesIn(picks: Uint32Array, length: number, stretches: number, context: number): number[] {
  const places: number[] = [];
  for (const pick of [...picks].sort((a, b) => a - b)) {
    const start = Math.floor((pick * length) / stretches);
    const end = Math.floor(((pick + 1) * length) / stretches);
    for (let place = start + context; place < end; place++) places.push(place);
  }
  return places;
}
