import { refusesCopies, type Strategy } from "../plan/strategy.ts";
import { copyFrom, divideAmong, inTurn } from "./copying.ts";

/**
 * The third pitfall: copied units whose outgoing weights are divided among the copies. Copies get equal gradients
 * and never part.
 */
export const halved: Strategy = {
  name: "halved",
  summary: "pitfall: copies with divided outgoing weights, so each pair stays one unit",
  source: "the article that espalier began with",
  preserves: true,
  refuses: refusesCopies,
  incoming: copyFrom(inTurn),
  shift: copyFrom(inTurn),
  scale: copyFrom(inTurn),
  outgoing: divideAmong(inTurn),
};
