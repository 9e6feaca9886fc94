import { layoutSize } from "../../graph/layout.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Structure } from "./structure.ts";

/** Tensors must have the sizes that the configuration gives: a graph alone may agree with another hidden size. Throws `FORMAT`. */
export function checkSizes(
  folder: string,
  { anchors, vocabulary, positions, sizes }: Structure,
  tensors: ReadonlyMap<string, { readonly dims: readonly number[] }>,
): void {
  const expected = [
    ...Object.values(anchors)
      .flat()
      .map(({ parameter, axis, layout, units }) => [parameter, axis, layoutSize(layout, units)] as const),
    ...vocabulary.map((name) => [name, 0, sizes.vocab] as const),
    ...positions.map(({ name, more }) => [name, 0, (sizes.positions as number) + more] as const),
  ];
  const wrong = expected.find(([name, axis, size]) => tensors.get(name)?.dims[axis] !== size);
  if (wrong === undefined) return;
  const [name, axis, size] = wrong;
  throw new EspalierError("FORMAT", {
    thing: `${folder}: tensor "${name}"`,
    rule: `must have size ${size} along axis ${axis}, as its config.json says`,
    received: tensors.get(name)?.dims ?? "no such tensor",
    remedy: "The configuration belongs to another model: fetch the folder again, or save it anew.",
  });
}
