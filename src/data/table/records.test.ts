import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvRecords } from "./records.ts";

const read = (text: string, skipRows = 0, delimiter = ",") => [
  ...csvRecords("t", text, { delimiter, skipRows }),
];
const cells = (text: string) => read(text).map((record) => record.cells);

describe("csvRecords", () => {
  test("splits rows and cells; LF, CRLF and a missing last line end are equivalent", () => {
    const rows = [
      ["a", " b", ""],
      ["1", "2", "3"],
    ];
    for (const text of ["a, b,\n1,2,3\n", "a, b,\r\n1,2,3\r\n", "a, b,\n1,2,3", '"a", b,""\r\n1,"2",3\r\n']) {
      expect(cells(text)).toEqual(rows);
    }
    expect(read("a;b\n", 0, ";")[0]?.cells).toEqual(["a", "b"]);
  });

  test("counts the lines of skipped, empty and quoted text", () => {
    const text = 'prose with a " in it\n\na,"x\r\ny\n"\r\n\r\nb,c\nd,"e"';
    expect(read(text, 1)).toEqual([
      { line: 3, cells: ["a", "x\r\ny\n"] },
      { line: 7, cells: ["b", "c"] },
      { line: 8, cells: ["d", "e"] },
    ]);
    expect(read("a\n", 5)).toEqual([]);
    expect(cells('a,"b"\r')).toEqual([["a", "b"]]);
  });

  test("treats a lone CR as a line end if nothing else ends lines, and skips comments", () => {
    expect(read('a,b\r1,"x\ry"\r')).toEqual([
      { line: 1, cells: ["a", "b"] },
      { line: 2, cells: ["1", "x\ny"] },
    ]);
    expect(cells('1,"a\rb"')).toEqual([["1", "a\rb"]]);
    const commented = [
      ...csvRecords("t", "# x\na,b\n#,y\n1,#\n", { delimiter: ",", skipRows: 0, comment: "#" }),
    ];
    expect(commented).toEqual([
      { line: 2, cells: ["a", "b"] },
      { line: 4, cells: ["1", "#"] },
    ]);
  });

  test.each([
    ['a,b"c\n', /line 1, column 2/],
    ['a,b\n"c"d,e\n', /line 2, column 1.*closing quote/],
    ['a,b\n\nc,"d\n', /line 3, column 2.*closed/],
  ])("refuses %j", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test("reads back what any table is written as", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", "1", ",", '"', "\n", "\r", " ", "é") });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(table, fc.constantFrom("\n", "\r\n"), fc.boolean(), (rows, end, quoteAll) => {
        const write = (text: string) =>
          quoteAll || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        const text = rows.map((row) => row.map(write).join(",")).join(end);
        expect(cells(text)).toEqual(rows);
        expect(cells(text + end)).toEqual(rows);
        const lines = rows.map((_, at) => rows.slice(0, at).flat().join("").split("\n").length - 1 + at + 1);
        expect(read(text).map((record) => record.line)).toEqual(lines);
      }),
      { seed: 11 },
    );
  });
});
