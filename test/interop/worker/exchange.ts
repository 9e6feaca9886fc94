import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "../../../src/formats/safetensors.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";

/** The folder that an oracle and the worker share: requests are in asked.*, answers in answered.*. */
export class Exchange {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What the oracle asks, as JSON of a shape that the two agree on. */
  async asked<T>(): Promise<T> {
    return JSON.parse(await readFile(this.path("asked.json"), "utf8")) as T;
  }

  async tensors(): Promise<ReadonlyMap<string, Tensor>> {
    return decodeSafetensors(new Uint8Array(await readFile(this.path("asked.safetensors")))).tensors;
  }

  async answer(value: unknown, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    await writeFile(this.path("answered.json"), JSON.stringify(value));
    await writeFile(this.path("answered.safetensors"), encodeSafetensors(tensors));
  }
}
