import { EspalierError } from "../tensor/errors.ts";

/** How much the readers accept. A file over a limit is refused with `TOO_LARGE`. */
export interface Limits {
  /** Bytes of the whole file; default 2 GiB. */
  readonly maxBytes: number;
  /** Total bytes of tensors in other files; default 4 GiB. */
  readonly maxExternalBytes: number;
  /** Nodes of all graphs of the model together, once local functions are inlined; default 100,000. */
  readonly maxNodes: number;
  /** Attributes of all nodes together; default 1,000,000. */
  readonly maxAttributes: number;
  /** Inputs and outputs of all graphs and nodes together; default 2,000,000. */
  readonly maxValues: number;
  /** Initializers of all graphs together; default 100,000. */
  readonly maxParameters: number;
  /** Local functions that the model defines; default 10,000. */
  readonly maxFunctions: number;
  /** Metadata entries and operator sets together; default 1,000,000. */
  readonly maxEntries: number;
  /** Graphs within graphs (If, Loop), and calls of local functions within each other; default 16. */
  readonly maxDepth: number;
  /** Axes of one tensor; default 16. */
  readonly maxDims: number;
  /** Elements of one tensor; default 2^31. */
  readonly maxElements: number;
  /** Items of one list: an attribute's numbers, a file's tensors; default 2^24. */
  readonly maxItems: number;
  /** UTF-8 bytes of one name; default 65,536. */
  readonly maxNameBytes: number;
  /** UTF-8 bytes of any other text (documentation, metadata, an attribute, an element); default 16 MiB. */
  readonly maxTextBytes: number;
  /** Bytes of the header of a safetensors file; default 100 MB, as in the format's own readers. */
  readonly maxHeaderBytes: number;
}

export const defaultLimits: Limits = {
  maxBytes: 2 ** 31,
  maxExternalBytes: 2 ** 32,
  maxNodes: 100_000,
  maxAttributes: 1_000_000,
  maxValues: 2_000_000,
  maxParameters: 100_000,
  maxFunctions: 10_000,
  maxEntries: 1_000_000,
  maxDepth: 16,
  maxDims: 16,
  maxElements: 2 ** 31,
  maxItems: 2 ** 24,
  maxNameBytes: 65_536,
  maxTextBytes: 2 ** 24,
  maxHeaderBytes: 100_000_000,
};

const units: Readonly<Record<keyof Limits, string>> = {
  maxBytes: "bytes",
  maxExternalBytes: "bytes in other files",
  maxNodes: "nodes",
  maxAttributes: "attributes",
  maxValues: "inputs and outputs",
  maxParameters: "initializers",
  maxFunctions: "local functions",
  maxEntries: "entries",
  maxDepth: "nested graphs",
  maxDims: "axes",
  maxElements: "elements",
  maxItems: "items",
  maxNameBytes: "bytes",
  maxTextBytes: "bytes",
  maxHeaderBytes: "bytes of header",
};

/** The defaults with the caller's changes. Throws `ARGUMENT` if one is not a number of at least zero. */
export function makeLimits(changes: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(changes)) {
    if (value !== undefined && !(value >= 0)) {
      throw new EspalierError("ARGUMENT", {
        thing: name,
        rule: "must be a number of zero or more",
        received: value,
      });
    }
  }
  return { ...defaultLimits, ...changes };
}

/** Throws `TOO_LARGE`, naming the option that raises the limit, if `received` is over it. */
export function checkLimit(limits: Limits, option: keyof Limits, thing: string, received: number): void {
  if (received <= limits[option]) return;
  throw new EspalierError("TOO_LARGE", {
    thing,
    rule: `may have at most ${limits[option]} ${units[option]}`,
    received,
    remedy: `Raise ${option} if you trust the file.`,
  });
}
