import type { Tensor } from "../../src/tensor/tensor.ts";

interface Options {
  readonly op: string;
  readonly reversed: (direction: number) => boolean;
  readonly resetsAfter: boolean;
}

const sigma = (x: number) => 1 / (1 + Math.exp(-x));

/** Output Y of LSTM, GRU or RNN with their usual functions, in float64, number by number. */
export function recurrentReference(inputs: readonly (Tensor | undefined)[], options: Options): Tensor {
  const [x, w, r, b, , h0, c0, p] = inputs;
  const [steps, batch, size] = (x as Tensor).dims as [number, number, number];
  const [directions, rows, hidden] = (r as Tensor).dims as [number, number, number];
  const at = (tensor: Tensor | undefined, index: number) => Number(tensor?.data[index] ?? 0);
  const y = new Float64Array(steps * directions * batch * hidden);
  for (let d = 0; d < directions; d++) {
    for (let n = 0; n < batch; n++) {
      const start = (d * batch + n) * hidden;
      let h = Array.from({ length: hidden }, (_, unit) => at(h0, start + unit));
      let c = Array.from({ length: hidden }, (_, unit) => at(c0, start + unit));
      for (let turn = 0; turn < steps; turn++) {
        const step = options.reversed(d) ? steps - 1 - turn : turn;
        const ofInput = (gate: number, unit: number) => {
          const row = d * rows + gate * hidden + unit;
          let sum = at(b, d * 2 * rows + gate * hidden + unit);
          for (let i = 0; i < size; i++) sum += at(x, (step * batch + n) * size + i) * at(w, row * size + i);
          return sum;
        };
        const ofState = (gate: number, unit: number, state: readonly number[]) => {
          const row = d * rows + gate * hidden + unit;
          const bias = at(b, d * 2 * rows + rows + gate * hidden + unit);
          return state.reduce((sum, value, from) => sum + value * at(r, row * hidden + from), bias);
        };
        const all = (gate: number, unit: number) => ofInput(gate, unit) + ofState(gate, unit, h);
        const peep = (gate: number, unit: number, cell: number) =>
          at(p, d * 3 * hidden + gate * hidden + unit) * cell;
        const units = h.map((_, unit) => unit);
        if (options.op === "RNN") h = units.map((unit) => Math.tanh(all(0, unit)));
        else if (options.op === "GRU") {
          const before = h;
          const reset = units.map((unit) => sigma(all(1, unit)));
          const damped = units.map((unit) => (reset[unit] as number) * (before[unit] as number));
          h = units.map((unit) => {
            const recalled = options.resetsAfter
              ? (reset[unit] as number) * ofState(2, unit, before)
              : ofState(2, unit, damped);
            const update = sigma(ofInput(0, unit) + ofState(0, unit, before));
            return (1 - update) * Math.tanh(ofInput(2, unit) + recalled) + update * (before[unit] as number);
          });
        } else {
          const next = units.map((unit) => {
            const old = c[unit] as number;
            const input = sigma(all(0, unit) + peep(0, unit, old));
            return sigma(all(2, unit) + peep(2, unit, old)) * old + input * Math.tanh(all(3, unit));
          });
          h = units.map((unit) => {
            const cell = next[unit] as number;
            return sigma(all(1, unit) + peep(1, unit, cell)) * Math.tanh(cell);
          });
          c = next;
        }
        y.set(h, ((step * directions + d) * batch + n) * hidden);
      }
    }
  }
  return { dtype: "float64", dims: [steps, directions, batch, hidden], data: y };
}
