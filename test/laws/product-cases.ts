import fc from "fast-check";
import { text } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import { type Cases, tensor } from "./case-arbitraries.ts";

const equations = [
  "ij,jk->ik",
  "ij,jk",
  "bij,bkj->bik",
  "bthd,bshd->bhts",
  "i,j->ji",
  "ij,j->i",
  "ij,jk,kl->il",
  "bi,oij,bj->bo",
  "ij->ji",
  "ij->i",
  "ijk,j->",
  "ij,kl->il",
];

/** Sums of products. */
export const productCases: { readonly [K in OperatorName]?: Cases } = {
  Einsum: fc
    .tuple(
      fc.constantFrom(...equations),
      fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 26, maxLength: 26 }),
    )
    .chain(([equation, sizes]) => {
      const operands = (equation.split("->")[0] as string).split(",");
      const sizeOf = (letter: string) => sizes[letter.charCodeAt(0) - 97] as number;
      return fc.tuple(...operands.map((letters) => tensor([...letters].map(sizeOf)))).map((inputs) => ({
        op: "Einsum",
        inputs,
        attributes: { equation: text(equation) },
        differentiable: inputs.map((_, index) => index),
      }));
    }),
};
