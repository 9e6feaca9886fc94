import { UniqueNames } from "../../graph/unique-names.ts";

/**
 * Names of symbolic sizes while one file is read. A `dim_param` is any text, but in a model "+" and "*" build
 * polynomials and digits alone are a number (graph/dim.ts), so such names get "_" instead, and a size with
 * neither number nor name gets a new name. Different names stay different.
 */
export class Symbols {
  readonly #chosen = new Map<string, string>();
  readonly #names = new UniqueNames();
  #unknown = 0;

  named(param: string): string {
    const known = this.#chosen.get(param);
    if (known !== undefined) return known;
    const plain = param.replaceAll(/[+*]/g, "_");
    const name = this.#names.take(/^-?\d+$/.test(plain) ? `_${plain}` : plain);
    this.#chosen.set(param, name);
    return name;
  }

  fresh(): string {
    return this.#names.take(`unknown_${this.#unknown++}`);
  }
}
