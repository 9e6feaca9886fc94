import { unknownName } from "../../tensor/unknown-name.ts";
import { activationNorm } from "./activation-norm.ts";
import type { Importance } from "./importance.ts";
import { taylor } from "./taylor.ts";
import { weightNorm } from "./weight-norm.ts";

/** The one table of importance scores. */
export const importances = { weightNorm, activationNorm, taylor } as const satisfies Readonly<
  Record<string, Importance>
>;

export type ImportanceName = keyof typeof importances;

/** Throws `ARGUMENT`, listing the scores. */
export function importanceOf(name: string): Importance {
  if (Object.hasOwn(importances, name)) return importances[name as ImportanceName];
  throw unknownName("ARGUMENT", "importance", name, Object.keys(importances));
}
