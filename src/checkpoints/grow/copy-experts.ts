import { EspalierError } from "../../tensor/errors.ts";
import type { Growing, GrownTensor } from "./growing.ts";

/**
 * Multiplies the experts of every layer, and those that a token goes through, by a power of two. All copies of an expert are
 * chosen together, each with its share of the weight: the router has the same row for all of them. So each unit of an
 * expert may give its outgoing weights whole to one of the copies, drawn, which tells the copies apart from the first
 * update on. Throws `NOT_GROWABLE` for other numbers.
 */
export function copyExperts(growing: Growing, to: number | undefined, perToken: number | undefined): void {
  const { sizes, fields } = growing.structure;
  const [from, chosen] = [sizes.experts as number, sizes.perToken as number];
  const [field, chosenField] = [fields.experts?.[0] as string, fields.perToken?.[0] as string];
  const parts = (to ?? from) / from;
  if (perToken !== undefined && perToken !== chosen * parts) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: chosenField,
      rule: `grows with ${field}, by the same factor: a token that goes through other experts gets another answer`,
      received: perToken,
      remedy: parts === 1 ? `Widen ${field}, and it follows.` : `Leave it out; it becomes ${chosen * parts}.`,
    });
  }
  if (to === undefined || to === from) return;
  if (!Number.isInteger(Math.log2(parts))) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: field,
      rule: `grows only to ${from} times a power of two, by copies: an expert alone would take weight from the others`,
      received: to,
      remedy: `The next that is: ${from * 2 ** Math.ceil(Math.log2(parts))}.`,
    });
  }
  for (const { router, expert } of growing.structure.experts ?? []) {
    const rows = growing.tensors.get(`${router}.weight`) as GrownTensor;
    const grown = [from * parts, ...rows.dims.slice(1)];
    growing.change(
      rows.name,
      { kind: "repeat", axis: 0, inner: from, times: parts, first: 0, end: from },
      grown,
    );
    for (let index = 0; index < from; index++) {
      const { down } = expert(index);
      for (let part = parts - 1; part >= 0; part--) {
        const copy = expert(index + part * from);
        for (const name of ["gate", "up", "down"] as const) {
          growing.copy(`${expert(index)[name]}.weight`, `${copy[name]}.weight`);
        }
        growing.change(`${copy.down}.weight`, { kind: "share", part, parts, draws: `${down}.weight` });
      }
    }
  }
  growing.configure({ [field]: to, [chosenField]: chosen * parts });
  growing.steps.push({ field, from, to, method: "copied experts" });
  growing.steps.push({ field: chosenField, from: chosen, to: chosen * parts, method: "no weights" });
}
