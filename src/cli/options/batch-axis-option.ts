import type { BatchAxis } from "../../training/settings/batch-axes.ts";
import { wholeNumber } from "./option-values.ts";

export const batchAxisHelp =
  "axis of the examples: the name of its size, or INPUT=NUMBER,... (default: one called batch or N, else the first)";

/** "frames" or "x=1,h=0". Throws `USAGE`. */
export function parseBatchAxis(text: string): BatchAxis {
  if (!text.includes("=")) return text;
  return Object.fromEntries(
    text.split(",").map((part) => {
      const at = part.lastIndexOf("=");
      const name = part.slice(0, Math.max(0, at)).trim();
      return [name, wholeNumber(`axis of "${name}" in --batch-axis`, part.slice(at + 1).trim(), 0)];
    }),
  );
}
