/** How a column of a table is aligned. */
export interface TextColumn {
  readonly title: string;
  readonly align: "left" | "right";
}

/** Characters per line, so that text for people fits the narrowest usual terminal. */
export const lineWidth = 80;

/**
 * Lines of a table whose first column contains names. A name too long for the line is printed above its row's other
 * cells. `below` gives further lines for a row, such as a reason.
 */
export function textTable(
  columns: readonly [TextColumn, ...TextColumn[]],
  rows: readonly (readonly string[])[],
  below: (row: number) => readonly string[] = () => [],
): readonly string[] {
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const others = widths.slice(1).reduce((sum, width) => sum + width + 2, 0);
  const room = Math.max(12, lineWidth - others);
  const fitting = rows.map(([name = ""]) => name.length).filter((length) => length <= room);
  widths[0] = Math.max(columns[0].title.length, Math.min(12, widths[0] as number), ...fitting);
  const set = (cells: readonly string[]) =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? "";
        return align === "left" ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number);
      })
      .join("  ")
      .trimEnd();
  const lines = [set(columns.map(({ title }) => title))];
  rows.forEach((row, index) => {
    const [name = "", ...rest] = row;
    if (name.length > (widths[0] as number)) {
      lines.push(name);
      if (rest.some((cell) => cell !== "")) lines.push(set(["", ...rest]));
    } else lines.push(set(row));
    lines.push(...below(index));
  });
  return lines;
}

/** Wraps words into lines of at most {@link lineWidth} characters, each after `indent`; a longer word stays whole. */
export function wrapped(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > lineWidth) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
