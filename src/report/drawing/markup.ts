/** Text that is already HTML. Everything else is escaped when it is put into {@link markup}. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a hole of a {@link markup} template accepts. `undefined` and `false` render as nothing. */
export type Hole = Markup | string | number | undefined | false | readonly Hole[];

/**
 * A template that escapes what fills its holes, so that a name from a user's model can never become an element.
 * The result is well-formed XML if the template is (`<br/>`, quoted attributes).
 */
export function markup(strings: TemplateStringsArray, ...holes: readonly Hole[]): Markup {
  return new Markup(strings.reduce((text, part, index) => text + fill(holes[index - 1]) + part));
}

function fill(hole: Hole): string {
  if (hole === undefined || hole === false) return "";
  if (hole instanceof Markup) return hole.text;
  if (typeof hole === "object") return hole.map(fill).join("");
  return escapeText(String(hole));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for an element or a quoted attribute; characters that XML forbids become U+FFFD. */
export function escapeText(text: string): string {
  return text.replace(forbidden, "\ufffd").replace(/[&<>"']/g, (character) => entities[character] as string);
}

// Control characters, lone surrogates, U+FFFE and U+FFFF.
const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
