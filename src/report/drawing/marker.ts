import { symbol, symbolCircle, symbolDiamond2, symbolSquare, symbolTriangle } from "d3-shape";
import { type Markup, markup } from "./markup.ts";

const shapes = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond2];

/** The marker of an arm, which differs in shape as well as in color, so that arms can be told apart in gray. */
export function marker(arm: number, x: number, y: number): Markup {
  const shape = shapes[arm % shapes.length] ?? symbolCircle;
  const d = symbol(shape, 52).digits(2)() ?? "";
  return markup`<path class="marker arm-${arm % 7}" transform="translate(${x.toFixed(1)},${y.toFixed(1)})" d="${d}"/>`;
}

/** The marker of an arm as a separate image, for legends and headings. Hidden from screen readers: the name follows. */
export function badge(arm: number): Markup {
  return markup`<svg class="badge" viewBox="0 0 28 14" aria-hidden="true"><path class="line strong arm-${arm % 7}" d="M1,7H27"/>${marker(arm, 14, 7)}</svg>`;
}
