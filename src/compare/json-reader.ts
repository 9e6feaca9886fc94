import { EspalierError } from "../tensor/errors.ts";
import { didYouMean, unknownName } from "../tensor/unknown-name.ts";

/** A value of a JSON document and the path to it, such as `arms[1].growth[0].by`, which every error names. */
export class JsonReader {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.value = value;
    this.path = path;
  }

  /** `CONFIG`, about this value. */
  wrong(rule: string, remedy?: string): EspalierError {
    return new EspalierError("CONFIG", {
      thing: this.path,
      rule,
      received: this.value,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }

  get given(): boolean {
    return this.value !== undefined;
  }

  /** Checks that this is an object with no fields other than `names`. */
  object(names: readonly string[]): this {
    this.anyObject();
    const unknown = Object.keys(this.value as object).find((name) => !names.includes(name));
    if (unknown === undefined) return this;
    throw new EspalierError("CONFIG", {
      thing: this.field(unknown).path,
      rule: `is not a known field: there may be ${names.join(", ")}`,
      received: unknown,
      remedy: didYouMean(unknown, names) ?? "Leave it out.",
    });
  }

  anyObject(): Readonly<Record<string, unknown>> {
    if (typeof this.value === "object" && this.value !== null && !Array.isArray(this.value))
      return this.value as Readonly<Record<string, unknown>>;
    throw this.wrong(this.given ? "must be an object" : "is missing");
  }

  field(name: string): JsonReader {
    const value = this.value as Readonly<Record<string, unknown>>;
    return new JsonReader(
      Object.hasOwn(value, name) ? value[name] : undefined,
      this.path === "" ? name : `${this.path}.${name}`,
    );
  }

  /** The elements of a nonempty list. */
  list(): readonly JsonReader[] {
    if (Array.isArray(this.value) && this.value.length > 0)
      return this.value.map((value, index) => new JsonReader(value, `${this.path}[${index}]`));
    throw this.wrong(this.given ? "must be a list with at least one element" : "is missing");
  }

  /** What `read` makes of the value; undefined if there is none. */
  optional<Result>(read: (reader: JsonReader) => Result): Result | undefined {
    return this.given ? read(this) : undefined;
  }

  text(): string {
    if (typeof this.value === "string" && this.value !== "") return this.value;
    throw this.wrong(this.given ? "must be text" : "is missing");
  }

  flag(): boolean {
    if (typeof this.value === "boolean") return this.value;
    throw this.wrong(this.given ? "must be true or false" : "is missing");
  }

  whole(least = 1): number {
    if (Number.isSafeInteger(this.value) && (this.value as number) >= least) return this.value as number;
    throw this.wrong(this.given ? `must be a whole number of at least ${least}` : "is missing");
  }

  /** A finite number above 0 (with `zero`, 0 or above), and at most `most`. */
  positive({ zero = false, most = Number.POSITIVE_INFINITY } = {}): number {
    const { value } = this;
    if (
      typeof value === "number" &&
      Number.isFinite(value) &&
      (zero ? value >= 0 : value > 0) &&
      value <= most
    )
      return value;
    const bound = most === Number.POSITIVE_INFINITY ? "" : ` and at most ${most}`;
    throw this.wrong(
      this.given ? `must be a number ${zero ? "of at least 0" : "above 0"}${bound}` : "is missing",
    );
  }

  oneOf<Name extends string>(names: readonly Name[]): Name {
    const found = names.find((name) => name === this.value);
    if (found !== undefined) return found;
    if (this.given) throw unknownName("CONFIG", this.path, this.value, names);
    throw this.wrong(`is missing: it must be one of ${names.join(", ")}`);
  }
}

/** The fields that are not undefined, for spreading into an object with optional fields. */
export function defined<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** Adds a path in the document to what another reader refuses. */
export function inside(error: unknown, path: string): unknown {
  if (!(error instanceof EspalierError)) return error;
  const { thing, rule, received, remedy } = error;
  return new EspalierError("CONFIG", {
    thing: path,
    rule: `${thing}: ${rule}`,
    received,
    ...(remedy === undefined ? {} : { remedy }),
    cause: error,
  });
}
