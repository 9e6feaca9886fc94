import { type FillRequest, oldSize } from "../plan/fills.ts";
import { refusesCopies, type Strategy } from "../plan/strategy.ts";
import { copyFrom, familiesOf, inTurn } from "./copying.ts";

/**
 * Draws are on a grid this fine, relative to the size of the old weights, so that what remains of those is seldom
 * rounded. A coarse one would make twins of units with one outgoing weight: on eighths, every thirtieth pair of copies.
 */
const grid = 2 ** 12;

/** The power of two nearest to the size of the old weights. */
function scaleOf(request: FillRequest): number {
  return 2 ** Math.round(Math.log2(oldSize(request) || 1));
}

/**
 * Copies whose outgoing weights R₁ ... Rₙ are random with ΣRᵢ = the old ones, entry by entry: exact for any elementwise
 * activation; and because the shares point in different directions, so do the copies' gradients, even after Adam has
 * normalized them.
 */
export const vectorSplit: Strategy = {
  name: "vectorSplit",
  summary: "copies whose outgoing weights are random vectors that add up to the old ones",
  source: "Wang et al., LEMON: lossless model expansion, ICLR 2024, section 4",
  preserves: true,
  refuses: refusesCopies,
  incoming: copyFrom(inTurn),
  shift: copyFrom(inTurn),
  scale: copyFrom(inTurn),
  outgoing(request) {
    const step = scaleOf(request) / grid;
    for (const [source, ...copies] of familiesOf(request, inTurn)) {
      if (source === undefined) continue;
      const left = request.slices.get(source);
      for (const unit of copies) {
        const draws = request.random(unit);
        request.slices.map(unit, (_, index) => {
          const share = step * Math.round(grid * draws.normal());
          left[index] = (left[index] as number) - share;
          return share;
        });
      }
      request.slices.map(source, (_, index) => left[index] as number);
    }
  },
};
