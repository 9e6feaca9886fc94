import { Markup, markup } from "./drawing/markup.ts";
import { styleSheet } from "./drawing/style-sheet.ts";

export interface PageParts {
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  /** The sections, one after another. */
  readonly body: readonly Markup[];
}

/**
 * One self-contained HTML file: no network, no scripts, no fonts. It opens from a disk, prints, follows the reader's
 * light or dark scheme, and its security policy forbids loading anything.
 */
export function htmlPage({ title, date, body }: PageParts): string {
  const page = markup`<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="generator" content="espalier"/>
<title>${title}</title>
<style>${new Markup(styleSheet)}</style>
</head>
<body>
<header>${emblem}<div><h1>${title}</h1><p><time datetime="${date}">${readable(date)}</time></p></div></header>
<main>
${body.map((section) => markup`${section}\n`)}</main>
<footer>Written by espalier. One file: no network, no script.</footer>
</body>
</html>`;
  return `<!DOCTYPE html>\n${page.text}\n`;
}

/** A small tree trained along a frame. */
const emblem = markup`<svg class="emblem" viewBox="0 0 44 44" aria-hidden="true"><path class="frame" d="M2,10H42M2,20H42M2,30H42"/><path class="tree" d="M22,42V6M22,36C22,30 16,30 6,30M22,36C22,30 28,30 38,30M22,26C22,20 16,20 9,20M22,26C22,20 28,20 35,20M22,16C22,10 17,10 13,10M22,16C22,10 27,10 31,10"/><path class="leaf" d="M22,7C18,5 19,1 22,0C25,1 26,5 22,7Z"/><g class="leaf"><circle cx="6" cy="30" r="2.6"/><circle cx="38" cy="30" r="2.6"/><circle cx="9" cy="20" r="2.6"/><circle cx="35" cy="20" r="2.6"/><circle cx="13" cy="10" r="2.6"/><circle cx="31" cy="10" r="2.6"/></g></svg>`;

/** An ISO 8601 date as "2026-11-23 09:33 UTC"; other text unchanged. */
function readable(date: string): string {
  const time = new Date(date);
  if (Number.isNaN(time.getTime())) return date;
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
