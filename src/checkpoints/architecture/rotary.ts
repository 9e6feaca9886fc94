import { int } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Config } from "../folder/config.ts";
import type { Net } from "./net.ts";

/** How positions turn pairs of entries of queries and keys (Su et al., RoFormer, arXiv 2104.09864). */
export interface Rotary {
  readonly frequencies: readonly number[];
}

/**
 * The frequencies for a head of `headDim` entries, of which a share `partial` turns. Reads rope_parameters (transformers 5)
 * or rope_theta and rope_scaling (4). Throws `CONFIG` for a kind whose frequencies depend on more than the position.
 */
export function readRotary(config: Config, headDim: number, theta = 10_000, partial = 1): Rotary {
  const given = config.object("rope_parameters") ?? config.object("rope_scaling");
  return rotaryOf(given, config, headDim, theta, partial);
}

/** As {@link readRotary}, of the parameters themselves. */
export function rotaryOf(
  given: Config | undefined,
  config: Config,
  headDim: number,
  theta: number,
  partial = 1,
): Rotary {
  const base = given?.optional("rope_theta") ?? config.optional("rope_theta") ?? theta;
  const share =
    given?.optional("partial_rotary_factor") ?? config.optional("partial_rotary_factor") ?? partial;
  if (!(share > 0 && share <= 1)) {
    throw new EspalierError("CONFIG", {
      thing: `${config.thing}: partial_rotary_factor`,
      rule: "must be above 0 and at most 1",
      received: share,
    });
  }
  const turning = Math.floor(headDim * share);
  const plain = Array.from({ length: Math.ceil(turning / 2) }, (_, at) =>
    Math.fround(1 / Math.fround(base ** Math.fround((2 * at) / turning))),
  );
  const kind = given?.has("rope_type")
    ? given.text("rope_type")
    : (given?.text("type", "default") ?? "default");
  if (kind === "default") return { frequencies: plain };
  if (kind === "linear") {
    const factor = (given as Config).number("factor");
    return { frequencies: plain.map((frequency) => Math.fround(frequency / factor)) };
  }
  if (kind === "llama3") return { frequencies: plain.map((one) => llama3(given as Config, one)) };
  throw new EspalierError("CONFIG", {
    thing: `${config.thing}: rope_type`,
    rule: "must be default, linear or llama3: others take their angles from more than the position",
    received: kind,
    remedy: "Depth and MLP growth of such a model are exact too, but are not offered yet.",
  });
}

function llama3(given: Config, frequency: number): number {
  const factor = given.number("factor");
  const [low, high] = [given.number("low_freq_factor"), given.number("high_freq_factor")];
  const old = given.number("original_max_position_embeddings");
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < old / high) return frequency;
  if (wavelength > old / low) return Math.fround(frequency / factor);
  const smooth = (old / wavelength - low) / (high - low);
  return Math.fround((1 - smooth) * (frequency / factor) + smooth * frequency);
}

/** Cosines and sines of all positions, [sequence, turning entries]. */
export function rotaryTables(net: Net, positions: string, { frequencies }: Rotary) {
  const real = net.emit("Cast", [positions], { to: int(1) });
  const angles = net.multiply(net.unsqueeze(real, 1), net.numbers(frequencies));
  const both = net.concat([angles, angles], 1);
  return { cos: net.emit("Cos", [both]), sin: net.emit("Sin", [both]) };
}

/** Turns the first entries of x [batch, groups, queries, sequence, headDim], as many as the tables have. */
export function turn(net: Net, x: string, tables: { readonly cos: string; readonly sin: string }): string {
  const [size, turning] = [net.graph.typeOf(x).shape, net.graph.typeOf(tables.cos).shape].map((shape) =>
    shape.at(-1),
  );
  const axis = net.graph.typeOf(x).shape.length - 1;
  const half = (turning as number) / 2;
  const head = turning === size ? x : net.slice(x, axis, 0, turning as number);
  const first = net.slice(head, axis, 0, half);
  const second = net.slice(head, axis, half, 2 * half);
  const across = net.concat([net.emit("Neg", [second]), first], axis);
  const turned = net.add(net.multiply(head, tables.cos), net.multiply(across, tables.sin));
  if (turning === size) return turned;
  return net.concat([turned, net.slice(x, axis, turning as number, size as number)], axis);
}
