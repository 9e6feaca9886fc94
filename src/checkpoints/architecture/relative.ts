import { int } from "../../graph/model.ts";
import { int64 } from "../../tensor/tensor.ts";
import type { Net } from "./net.ts";

/** How T5 tells distances apart (Raffel et al., arXiv 1910.10683, section 2.1): each bucket has a learned bias per head. */
export interface Buckets {
  readonly count: number;
  /** Distances from this one on share a bucket. */
  readonly farthest: number;
  /** Whether a position also looks at later ones, which then have half of the buckets. */
  readonly bothWays: boolean;
}

/** The bucket of a key `distance` positions after the query, in float32 as the class computes it. */
export function bucketOf(distance: number, { count, farthest, bothWays }: Buckets): number {
  const own = bothWays ? Math.floor(count / 2) : count;
  const side = bothWays && distance > 0 ? own : 0;
  const far = bothWays ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(own / 2);
  if (far < exact) return side + far;
  const ratio = Math.fround(Math.log(Math.fround(far / exact)));
  const share = Math.fround(ratio / Math.fround(Math.log(farthest / exact)));
  return side + Math.min(own - 1, exact + Math.trunc(Math.fround(share * (own - exact))));
}

/** What is added to scores [batch, heads, 1, sequence, sequence] of queries and keys at these positions. */
export function relativeBias(net: Net, positions: string, name: string, buckets: Buckets): string {
  const { farthest, bothWays } = buckets;
  const [nearest, last] = [-farthest, bothWays ? farthest : 0];
  const key = `buckets:${JSON.stringify(buckets)}`;
  const size = last - nearest + 1;
  const table = net.graph.constant(key, () =>
    int64(
      [size],
      Array.from({ length: size }, (_, at) => bucketOf(at + nearest, buckets)),
    ),
  );
  const distances = net.emit("Sub", [net.unsqueeze(positions, 0), net.unsqueeze(positions, 1)]);
  const within = net.emit("Clip", [distances, net.index(nearest), net.index(last)]);
  const numbers = net.emit("Gather", [table, net.emit("Sub", [within, net.index(nearest)])], {
    axis: int(0),
  });
  return net.unsqueeze(net.transpose(net.lookup(`${name}.weight`, numbers), [2, 0, 1]), 1);
}
