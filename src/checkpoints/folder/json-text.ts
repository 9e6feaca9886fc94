import { EspalierError } from "../../tensor/errors.ts";

/** Positions of a JSON object's members in its text. */
export interface ObjectSpan {
  /** Positions of the opening brace and after the closing brace. */
  readonly begin: number;
  readonly end: number;
  readonly members: ReadonlyMap<string, MemberSpan>;
}

/** The position of a value, and of its members if it is an object. */
export interface MemberSpan {
  readonly begin: number;
  readonly end: number;
  readonly object?: ObjectSpan;
}

/** A value to write into a JSON text, at a path of keys. */
export interface JsonEdit {
  readonly path: readonly string[];
  /** The text of the value, so that a number keeps its written form. */
  readonly text: string;
}

const space = /[ \t\n\r]*/y;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Configurations are shallow; anything deeper is not a configuration. */
const maxDepth = 64;

/**
 * Finds the positions of a JSON object's members, so that single values can be replaced without touching any
 * other character. A repeated key is an error, because readers disagree about which one counts. Throws
 * `FORMAT`.
 */
export function spansOf(text: string, thing: string): ObjectSpan {
  let at = 0;
  const fail = (rule: string): never => {
    throw new EspalierError("FORMAT", {
      thing: `${thing}, character ${at}`,
      rule,
      received: text.slice(at, at + 40),
    });
  };
  const skip = () => {
    space.lastIndex = at;
    space.exec(text);
    at = space.lastIndex;
  };
  const expect = (mark: string) => {
    skip();
    if (text[at] !== mark) fail(`must have "${mark}" here`);
    at++;
    skip();
  };
  const string = (): string => {
    const begin = at;
    if (text[at] !== '"') fail("must have a text here");
    at++;
    while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    at++;
    try {
      return JSON.parse(text.slice(begin, at)) as string;
    } catch {
      at = begin;
      return fail("must have a well-formed text here");
    }
  };
  const value = (depth: number): MemberSpan => {
    if (depth > maxDepth) fail(`must not be nested more than ${maxDepth} deep`);
    const begin = at;
    if (text[at] === "{") {
      const object = members(depth);
      return { begin, end: object.end, object };
    }
    if (text[at] === "[") {
      expect("[");
      if (text[at] !== "]") {
        value(depth + 1);
        skip();
        while (text[at] === ",") {
          expect(",");
          value(depth + 1);
          skip();
        }
      }
      if (text[at] !== "]") fail('must have "]" here');
      at++;
      return { begin, end: at };
    }
    if (text[at] === '"') string();
    else {
      scalar.lastIndex = at;
      if (!scalar.test(text)) fail("must have a value here");
      at = scalar.lastIndex;
    }
    return { begin, end: at };
  };
  const members = (depth: number): ObjectSpan => {
    const begin = at;
    const found = new Map<string, MemberSpan>();
    expect("{");
    while (text[at] !== "}") {
      const key = string();
      if (found.has(key)) fail(`must give "${key}" once`);
      expect(":");
      found.set(key, value(depth + 1));
      skip();
      if (text[at] !== ",") break;
      expect(",");
      if (text[at] === "}") fail("must have a key here");
    }
    if (text[at] !== "}") fail('must have "}" here');
    at++;
    return { begin, end: at, members: found };
  };
  skip();
  if (text[at] !== "{") fail("must be an object");
  const whole = members(0);
  skip();
  if (at !== text.length) fail("must end here");
  return whole;
}

/**
 * The text with values replaced, and with new members appended to their object, indented like those before
 * them. Objects along the path must exist. Throws `FORMAT`.
 */
export function editJson(text: string, edits: readonly JsonEdit[], thing: string): string {
  return edits.reduce((before, edit) => editOnce(before, edit, thing), text);
}

function editOnce(text: string, { path, text: value }: JsonEdit, thing: string): string {
  let object = spansOf(text, thing);
  for (const key of path.slice(0, -1)) {
    const inner = object.members.get(key)?.object;
    if (inner === undefined)
      throw new EspalierError("FORMAT", { thing, rule: `must have an object "${key}"` });
    object = inner;
  }
  const key = path.at(-1) as string;
  const member = object.members.get(key);
  if (member !== undefined) return text.slice(0, member.begin) + value + text.slice(member.end);
  const last = [...object.members.values()].at(-1);
  const added = `${JSON.stringify(key)}: ${value}`;
  if (last === undefined) return `${text.slice(0, object.begin)}{${added}${text.slice(object.end - 1)}`;
  const [first] = object.members.keys();
  const lead = text.slice(object.begin + 1, text.indexOf(JSON.stringify(first), object.begin));
  return `${text.slice(0, last.end)},${lead}${added}${text.slice(last.end)}`;
}
