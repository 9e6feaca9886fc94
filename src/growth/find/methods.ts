import type { Role } from "../../ops/rules/axis-rule.ts";
import type { FillKind, MethodName } from "../plan/width.ts";

/** What a method needs to know about a parameter's axis to decide how it is filled. */
export interface Filled {
  readonly role: Role;
  /** Whether it makes the unit in one place and reads it in another (an embedding tied to the output layer). */
  readonly tied: boolean;
  /** Whether it makes the second factor of a product of two activations that is summed over the width (keys). */
  readonly second: boolean;
}

/** The rule that makes a growth exact, in words, and its condition. */
export interface ExactRule {
  readonly rule: string;
  readonly condition: string;
}

const finite = "the new units are finite, which the operators before them ensure for any finite input";

/** One way to make room for new units without changing the function: how each role is filled. */
export interface Method {
  readonly name: MethodName;
  /** Why the function stays the same, and on what condition. */
  readonly exact: ExactRule;
  /** Whether every unit is copied equally often, so that the width grows by multiples of its size. */
  readonly whole: boolean;
  /** Undefined if the method has no answer. */
  readonly fill: (part: Filled) => FillKind | undefined;
  /** Whether the last normalization leaves copies out, so that what is tied to the embeddings reads each unit once. */
  readonly clearsLastNorm?: boolean;
  /** Whether offsets that it fills with zeros are drawn wherever that does no harm, for units to learn from. */
  readonly relaxesOffsets?: boolean;
}

/** New units contain anything; what reads them has zero weights (the original method). */
const zeroOutgoing: Method = {
  name: "zero outgoing",
  exact: {
    rule: "the weights that read the new units are zero, so the units add 0 to every sum",
    condition: finite,
  },
  whole: false,
  fill: ({ role, tied }) => (tied ? "zero" : role === "offset" ? "offset" : "strategy"),
};

/** New units contain the mean of the old ones, which LayerNorm does not notice (docs/theory.md, Layers). */
function meanPadding(offset: FillKind): Method {
  return {
    name: "mean padding",
    exact: {
      rule: "the new units are the mean of the old ones, which leaves LayerNorm unchanged once its scale and epsilon are adjusted",
      condition: finite,
    },
    whole: false,
    relaxesOffsets: offset === "zero",
    fill: ({ role, tied }) => {
      if (role === "incoming" || tied || role === "shift") return "mean";
      return role === "offset" ? offset : "strategy";
    },
  };
}

/** New units are zero, which RMSNorm and sums do not notice; what reads them has weights, so that they can learn. */
export const zeroPadding: Method = {
  name: "zero padding",
  exact: {
    rule: "the new units are zero, which leaves sums unchanged, and RMSNorm once its scale and epsilon are adjusted",
    condition: finite,
  },
  whole: false,
  fill: ({ role, tied }) => (role === "scale" ? "strategy" : role === "outgoing" && !tied ? "draw" : "zero"),
};

/** In a product of two activations one side is zero (the keys of attention), the other anything. */
const zeroKeys: Method = {
  name: "zero keys",
  exact: { rule: "the new keys are zero, so that they add 0 to every score", condition: finite },
  whole: false,
  fill: ({ role, second, tied }) => (tied || (role === "incoming" && second) ? "zero" : "strategy"),
};

/** Every unit is copied, and its outgoing weights are shared out: no normalization notices (after LEMON). */
export const copies: Method = {
  name: "copies",
  exact: {
    rule: "every unit is copied equally often, and its outgoing weights are divided among the copies",
    condition: "none: a copy is finite if its unit is",
  },
  whole: true,
  fill: ({ role, tied }) => (tied ? undefined : role === "outgoing" ? "part" : "copy"),
};

/**
 * Like {@link copies}, for an output layer that is tied to the embeddings: a copy's weights there cannot be shared out,
 * so the last normalization scales it by zero.
 */
export const tiedCopies: Method = {
  ...copies,
  exact: {
    rule: "every unit is copied equally often, its outgoing weights are divided among the copies, and the tied output layer reads each unit once",
    condition: "none: a copy is finite if its unit is",
  },
  fill: (part) => (part.tied ? "copy" : copies.fill(part)),
  clearsLastNorm: true,
};

/** In order of preference: any number of units before multiples, new values before copies. */
export const methods: readonly Method[] = [
  zeroOutgoing,
  zeroKeys,
  meanPadding("offset"),
  // If a tied weight reads them, even the normalized units must be zero.
  meanPadding("zero"),
  zeroPadding,
  copies,
  tiedCopies,
];

/** What makes new residual blocks exact. */
export const exactDepth: ExactRule = {
  rule: "the last weights of each new block are zero, so that it adds nothing to its input",
  condition: "the input of the block is finite",
};

/** What makes new outputs exact. */
export const exactOutputs: ExactRule = {
  rule: "the old outputs are computed as before, and the new ones follow them",
  condition: "none",
};

/** What makes new rows of a table exact. */
export const exactVocabulary: ExactRule = {
  rule: "the old ids look up their old rows, and the new rows follow them",
  condition: "no id is negative, which would count from the last row",
};
