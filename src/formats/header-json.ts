import { EspalierError } from "../tensor/errors.ts";
import { isWellFormed } from "./well-formed.ts";

/** What the header of a safetensors file is made of. Objects are maps, so that no key can reach a prototype. */
export type HeaderValue = string | number | readonly HeaderValue[] | HeaderObject;
export type HeaderObject = ReadonlyMap<string, HeaderValue>;

/** A header is an object of objects of arrays of numbers: four deep. */
const maxDepth = 4;

const space = /[ \t\n\r]*/y;
const integer = /(?:0|[1-9][0-9]*)(?![0-9.eE])/y;

/**
 * Parses the part of JSON that such a header may use: objects without repeated keys, arrays, strings and
 * non-negative integers below 2^53. Unlike `JSON.parse` it refuses a key given twice. Throws `FORMAT` with the offset.
 */
export function parseHeader(text: string): HeaderValue {
  let at = 0;

  const fail = (rule: string, from = at): never => {
    throw new EspalierError("FORMAT", {
      thing: `safetensors header, character ${from}`,
      rule,
      received: text.slice(from, from + 40),
    });
  };

  /** The text that `pattern` matches at the current position, which moves past it. */
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };

  /** Whether `mark` is next; if so, moves past it and the space around it. */
  const sees = (mark: string): boolean => {
    match(space);
    if (text[at] !== mark) return false;
    at++;
    match(space);
    return true;
  };

  const parseString = (): string => {
    const from = at;
    if (text[at] !== '"') return fail("must be a string");
    // A loop, because a long string could exhaust the stack of a regular expression.
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    at = end + 1;
    const value = parseLiteral(text.slice(from, at));
    if (value === undefined || !isWellFormed(value)) return fail("must be a well-formed string", from);
    return value;
  };

  const parseValue = (depth: number): HeaderValue => {
    if (depth > maxDepth) return fail(`must not be nested more than ${maxDepth} deep`);
    if (sees("{")) return parseObject(depth);
    if (sees("[")) return parseArray(depth);
    if (text[at] === '"') return parseString();
    const from = at;
    const value = Number(match(integer) ?? fail("must be an object, an array, a string or a whole number"));
    return Number.isSafeInteger(value) ? value : fail("must be below 2^53", from);
  };

  const parseObject = (depth: number): HeaderObject => {
    const entries = new Map<string, HeaderValue>();
    if (sees("}")) return entries;
    do {
      const from = at;
      const key = parseString();
      if (entries.has(key)) fail("a key must not be given twice", from);
      if (!sees(":")) fail("must be a colon");
      entries.set(key, parseValue(depth + 1));
    } while (sees(","));
    return sees("}") ? entries : fail("must be a comma or a closing brace");
  };

  const parseArray = (depth: number): readonly HeaderValue[] => {
    const items: HeaderValue[] = [];
    if (sees("]")) return items;
    do items.push(parseValue(depth + 1));
    while (sees(","));
    return sees("]") ? items : fail("must be a comma or a closing bracket");
  };

  if (text[0] !== "{") fail("must begin with a brace");
  const value = parseValue(1);
  match(space);
  return at === text.length ? value : fail("nothing may follow the header's object");
}

/** The value of a JSON string given with its quotes; undefined if it is not one. */
function parseLiteral(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
