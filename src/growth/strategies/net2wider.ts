import { forNewUnits, oldSize } from "../plan/fills.ts";
import { refusesCopies, type Strategy } from "../plan/strategy.ts";
import { atRandom, copyFrom, divideAmong } from "./copying.ts";

/**
 * Copies of old units drawn at random, outgoing weights divided by how often a unit occurs. Exact for any elementwise
 * activation, but without noise copies stay twins (the third pitfall).
 */
export const net2wider: Strategy = {
  name: "net2wider",
  summary: "copies of units drawn at random, outgoing weights divided among them; twins without noise",
  source: "Chen, Goodfellow & Shlens, Net2Net, ICLR 2016, section 2.3",
  preserves: true,
  refuses: refusesCopies,
  incoming: copyFrom(atRandom),
  shift: copyFrom(atRandom),
  scale: copyFrom(atRandom),
  outgoing: divideAmong(atRandom),
};

/** Relative to the size of the old incoming weights. */
const noise = 0.01;

/** The same with a little noise on the copies' incoming weights, which separates twins and moves outputs a little. */
export const net2widerNoisy: Strategy = {
  ...net2wider,
  name: "net2widerNoisy",
  summary:
    "net2wider with 1 % of noise on the copies, which separates twins and changes the outputs slightly",
  preserves: false,
  incoming(request) {
    net2wider.incoming(request);
    const deviation = noise * oldSize(request);
    forNewUnits(request, (unit) => {
      const draws = request.random(unit);
      request.slices.map(unit, (copied) => copied + deviation * draws.normal());
    });
  },
};
