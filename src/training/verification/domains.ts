import type { Random } from "../../tensor/random.ts";
import type { InputFacts } from "./input-facts.ts";

/** A way to draw the inputs of a model. */
export interface Domain {
  /** The name that messages show. */
  readonly name: string;
  /** Draws a real number for the input with this index. */
  readonly real: (draws: Random, input: number) => number;
  /** Which of several ways to draw integers and truth values. */
  readonly variant: number;
}

const normal = (mean: number, deviation: number) => (draws: Random) => mean + deviation * draws.normal();
const uniform = (from: number, to: number) => (draws: Random) => from + (to - from) * draws.uniform();

/** Usual inputs of networks: standardized features, shares, pixels, sizes, logits, masks, measurements. */
const usual: readonly Omit<Domain, "variant">[] = [
  { name: "N(0, 1)", real: normal(0, 1) },
  { name: "[0, 1]", real: uniform(0, 1) },
  { name: "0 to 255", real: (draws) => draws.integer(256) },
  { name: "positive", real: (draws) => Math.exp(draws.normal()) },
  { name: "N(0, 30²)", real: normal(0, 30) },
  { name: "N(0, 0.1²)", real: normal(0, 0.1) },
  { name: "0 or 1", real: (draws) => draws.integer(2) },
  { name: "N(100, 10²)", real: normal(100, 10) },
  {
    name: "0.001 to 10,000 of either sign",
    real: (draws) => (draws.integer(2) === 0 ? -1 : 1) * 10 ** (-3 + 7 * draws.uniform()),
  },
];

/** Of several real inputs, some may be masks, shares or scales of others: the domain of the first input, and that of the rest. */
const pairs: readonly (readonly [string, string])[] = [
  ["N(0, 1)", "0 or 1"],
  ["0 or 1", "positive"],
  ["positive", "N(0, 1)"],
];

function drawing(name: string): Domain["real"] {
  return (usual.find((domain) => domain.name === name) as Domain).real;
}

/** At most this many constants get their own domains. */
const mostConstants = 4;

/** Standard normal numbers, and integers of the first kind. */
export const standard: Domain = { name: "N(0, 1)", real: normal(0, 1), variant: 0 };

/**
 * The domains to try a model on: the usual ones, and numbers around, above and far below the constants that it shifts,
 * scales or compares its inputs with; for several real inputs, also some with one domain for the first and another for the rest.
 */
export function domainsFor(facts: Iterable<InputFacts>, realInputs: number): readonly Domain[] {
  const constants = new Set([...facts].flatMap((one) => one.constants));
  const large = [...constants].filter((value) => Math.abs(value) >= 2).slice(0, mostConstants);
  const derived = large.flatMap((value) => {
    const size = Math.abs(value);
    return [
      { name: `around ${value}`, real: normal(value, Math.max(1, size / 10)) },
      { name: `above ${value}`, real: uniform(value, value + Math.max(2, size)) },
      { name: `below ${-size}`, real: uniform(-2 * size, -size) },
    ];
  });
  const mixed = pairs.map(([first, others]) => {
    const [a, b] = [drawing(first), drawing(others)];
    const real: Domain["real"] = (draws, input) => (input === 0 ? a : b)(draws, input);
    return { name: `${first} with ${others}`, real };
  });
  return [...usual, ...(realInputs > 1 ? mixed : []), ...derived].map((domain, variant) => ({
    ...domain,
    variant,
  }));
}
