import { platform } from "#platform";
import { EspalierError } from "../../tensor/errors.ts";
import { spansOf } from "./json-text.ts";
import { refuseUnknownFolder } from "./recognize.ts";

/** Limits of what a file may make espalier build. */
const mostCount = 2 ** 30;
const mostListed = 2 ** 12;

/** Bytes of a configuration that are read at most. */
const maxBytes = 2 ** 24;

/** A model's config.json: its text, which edits keep, and its values. */
export interface ConfigFile {
  readonly text: string;
  readonly config: Config;
}

/** Reads config.json of a folder. Throws `FILE_MISSING` or `FORMAT`. */
export async function readConfig(folder: string): Promise<ConfigFile> {
  await refuseUnknownFolder(folder);
  const bytes = await platform.readFile(`${folder}/config.json`, maxBytes);
  return parseConfig(new TextDecoder("utf-8", { fatal: true }).decode(bytes), `${folder}/config.json`);
}

/** A configuration from its text. Throws `FORMAT`. */
export function parseConfig(text: string, thing = "config.json"): ConfigFile {
  spansOf(text, thing);
  return { text, config: new Config(JSON.parse(text) as Readonly<Record<string, unknown>>, thing) };
}

/** The values of a configuration, with what the class takes where the file says nothing. */
export class Config {
  readonly values: Readonly<Record<string, unknown>>;
  readonly thing: string;

  constructor(values: Readonly<Record<string, unknown>>, thing: string) {
    this.values = values;
    this.thing = thing;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.values, key) && this.values[key] !== null;
  }

  keys(): readonly string[] {
    return Object.keys(this.values);
  }

  /** A positive whole number, at most `most`. */
  count(key: string, otherwise?: number, most = mostCount): number {
    const value = this.has(key) ? this.values[key] : otherwise;
    const isCount = Number.isSafeInteger(value) && (value as number) > 0;
    if (isCount && (value as number) <= most) return value as number;
    return this.refuse(key, `must be a positive whole number${isCount ? ` up to ${most}` : ""}`, value);
  }

  /** A number of layers, heads or entries of a head: of things that the graph is built of one by one. */
  few(key: string, otherwise?: number): number {
    return this.count(key, otherwise, mostListed);
  }

  number(key: string, otherwise?: number): number {
    const value = this.has(key) ? this.values[key] : otherwise;
    return Number.isFinite(value) ? (value as number) : this.refuse(key, "must be a number", value);
  }

  /** A number, or undefined where the file has none. */
  optional(key: string): number | undefined {
    return this.has(key) ? this.number(key) : undefined;
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.has(key) ? this.values[key] : otherwise;
    return typeof value === "boolean" ? value : this.refuse(key, "must be true or false", value);
  }

  text(key: string, otherwise?: string): string {
    const value = this.has(key) ? this.values[key] : otherwise;
    return typeof value === "string" ? value : this.refuse(key, "must be a text", value);
  }

  /** One or several positive whole numbers. */
  counts(key: string): readonly number[] | undefined {
    if (!this.has(key)) return undefined;
    const value = this.values[key];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > 0 && list.every((one) => Number.isSafeInteger(one) && (one as number) > 0)) {
      return list as readonly number[];
    }
    return this.refuse(key, "must be positive whole numbers", value);
  }

  texts(key: string): readonly string[] | undefined {
    if (!this.has(key)) return undefined;
    const value = this.values[key];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    return this.refuse(key, "must be a list of texts", value);
  }

  /** Numbers of layers or the like, counted from 0. */
  indices(key: string): readonly number[] | undefined {
    if (!this.has(key)) return undefined;
    const value = this.values[key];
    if (Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)) return value;
    return this.refuse(key, "must be a list of whole numbers", value);
  }

  /** An object within; undefined where there is none. */
  object(key: string): Config | undefined {
    if (!this.has(key)) return undefined;
    const value = this.values[key];
    if (typeof value !== "object" || Array.isArray(value))
      return this.refuse(key, "must be an object", value);
    return new Config(value as Readonly<Record<string, unknown>>, `${this.thing}, ${key}`);
  }

  /** The same with other values. */
  with(changes: Readonly<Record<string, unknown>>): Config {
    return new Config({ ...this.values, ...changes }, this.thing);
  }

  /** Throws `CONFIG` about a key. */
  refuse(key: string, rule: string, received: unknown): never {
    throw new EspalierError("CONFIG", {
      thing: `${this.thing}: ${key}`,
      rule,
      received: received ?? "nothing",
    });
  }
}
