import { describe, expect, test } from "vitest";
import type { EspalierError } from "../../tensor/errors.ts";
import { type CsvOptions, loadCsv, parseCsv } from "../csv.ts";

// Each row represents a kind of file that was once silently read as something else.

const rows = 60;
const wave = (row: number, step: number) => Math.sin(1 + row * step).toFixed(4);
/** A table of two features and what `cell` gives for the label. */
const table = (label: (row: number) => string, head = "a,b,y", count = rows) =>
  `${head}\n${Array.from({ length: count }, (_, row) => `${wave(row, 1)},${wave(row, 0.3)},${label(row)}`).join("\n")}\n`;
/** The same table with `cells` before the features. */
const withColumn = (cells: (row: number) => string, name: string, label = (row: number) => String(row % 3)) =>
  `${name},a,b,y\n${Array.from({ length: rows }, (_, row) => `${cells(row)},${wave(row, 1)},${wave(row, 0.3)},${label(row)}`).join("\n")}\n`;

const price = (row: number) => 100_000 + row * 997;
const said = (text: string, options?: CsvOptions) => parseCsv(text, options).notes?.join("\n") ?? "";

describe("what a label is", () => {
  test.each<[string, (row: number) => string]>([
    ["whole prices", (row) => String(price(row))],
    ["prices with cents", (row) => (price(row) + 0.25).toFixed(2)],
    ["fractions of 0 to 1", (row) => wave(row, 2)],
    ["negative whole numbers", (row) => String(-price(row))],
    ["large floats", (row) => `${row}.5e9`],
    ["prices, some twice", (row) => String(price(row - (row % 10 === 0 ? 1 : 0)))],
  ])("%s are predicted, and said", (_, label) => {
    expect(parseCsv(table(label)).targets).toHaveLength(rows);
    expect(said(table(label))).toMatch(/y has .*a regression; for classes: --task classification/);
    expect(parseCsv(table(label), { target: "class" }).labels).toHaveLength(rows);
  });

  test.each<[string, (row: number) => string, number, readonly string[] | undefined]>([
    ["0 to 2", (row) => String(row % 3), 3, undefined],
    ["0.0 to 2.0, as pandas writes", (row) => `${row % 3}.0`, 3, undefined],
    ["1 to 3", (row) => String(1 + (row % 3)), 3, ["1", "2", "3"]],
    ["-1 and 1", (row) => String(2 * (row % 2) - 1), 2, ["-1", "1"]],
    ["0 and 100", (row) => String(100 * (row % 2)), 2, ["0", "100"]],
    ["names", (row) => ["ant", "bee", "cat"][row % 3] as string, 3, ["ant", "bee", "cat"]],
    ["01234 and 1234", (row) => ["01234", "1234"][row % 2] as string, 2, ["01234", "1234"]],
    [
      "whole numbers past 2^53",
      (row) => String(9007199254740992n + BigInt(row % 3)),
      3,
      ["9007199254740992", "9007199254740993", "9007199254740994"],
    ],
  ])("%s are classes", (_, label, classes, classNames) => {
    const data = parseCsv(table(label));
    expect([data.classes, data.classNames]).toEqual([classes, classNames]);
    expect(new Set(data.labels).size).toBe(classes);
    expect(data.preprocessing?.target).toMatchObject({ kind: "class", name: "y" });
  });

  test.each<[string, (row: number) => string]>([
    ["0, 5 and 1000000", (row) => String([0, 5, 1_000_000][row % 3])],
    ["200, 404 and 500", (row) => String([200, 404, 500][row % 3])],
    ["10, 20, 30", (row) => String(10 * (1 + (row % 3)))],
    ["25 whole numbers", (row) => String(row % 25)],
    ["a year", (row) => String(1990 + (row % 29))],
  ])("%s are asked about, and no network of millions is made", (_, label) => {
    const text = table(label);
    expect(() => parseCsv(text)).toThrow(/different whole numbers.*--task classification, --task regression/);
    expect(parseCsv(text, { target: "class" }).classes).toBeLessThan(30);
    expect(parseCsv(text, { target: "number" }).targets).toHaveLength(rows);
  });

  test("the last column is not the label if it counts the rows; another named like a label is pointed out", () => {
    const counted = `a,y,nr\n${Array.from({ length: rows }, (_, row) => `${wave(row, 1)},${row % 3},${row}`).join("\n")}\n`;
    expect(() => parseCsv(counted)).toThrow(/last column nr.*counts the rows.*--label y.*--drop nr/);
    expect(parseCsv(counted, { label: "nr" }).targets).toHaveLength(rows);
    expect(parseCsv(counted, { drop: ["nr"] }).classes).toBe(3);
    const first = "species,a,b\nx,0.5,1.5\ny,1.5,2.5\nx,2.5,1.25\n";
    expect(said(first)).toMatch(/the label is b, the last column; to take species: --label species/);
    expect(said(first, { label: "species" })).not.toMatch(/last column/);
  });

  test("one number in every row is nothing to predict; names that differ in case are pointed out", () => {
    expect(() => parseCsv(table(() => "1.5"))).toThrow(/same number in every row.*--label/);
    expect(said(table((row) => ["Yes", "yes", "no"][row % 3] as string))).toMatch(
      /case, such as Yes and yes/,
    );
  });

  test("a different name for each row is not a class", () => {
    const text = table((row) => `person ${row}`);
    expect(() => parseCsv(text)).toThrow(/60 different texts in 60 rows.*--label.*--task classification/);
  });
});

describe("gaps and cells that are not numbers", () => {
  const gaps = ["NA", "nan", "NaN", "?", "-", "", "null", "None", "N/A", "#N/A", "<NA>", "."];
  test.each(gaps)("%j among prices is refused with line and remedy, or its row is left out", (gap) => {
    const text = table((row) => (row === 3 ? gap : (price(row) + 0.5).toFixed(2)));
    expect(() => parseCsv(text)).toThrow(/line 5, column 3 \(y\).*--missing drop/);
    const data = parseCsv(text, { missing: "mean" });
    expect(data.targets).toHaveLength(rows - 1);
    expect(data.notes).toContain(`1 of ${rows} rows without a label left out`);
  });

  test.each(gaps)("%j among whole classes, too", (gap) => {
    const text = table((row) => (row === 3 ? gap : String(row % 3)));
    expect(() => parseCsv(text)).toThrow(/line 5, column 3 \(y\).*--missing drop/);
    expect(parseCsv(text, { missing: "drop" })).toMatchObject({ count: rows - 1, classes: 3 });
  });

  test.each<[string, RegExp, CsvOptions | undefined, number | undefined]>([
    ["1234.5$", /Remove the sign.*--drop x.*--categories x/, undefined, undefined],
    ["12 %", /Remove the sign/, undefined, undefined],
    ['"1,5"', /--decimal ,/, { decimal: "," }, 1.5],
    ['"1,234,567"', /--thousands ,/, { thousands: "," }, 1_234_567],
    ['"1,234.5"', /--thousands ,/, { thousands: "," }, 1234.5],
    ['"1.234,5"', /--decimal , --thousands \./, { decimal: ",", thousands: "." }, 1234.5],
    ["1 234", /--thousands " "/, { thousands: " " }, 1234],
    ["1'234.5", /--thousands "'"/, { thousands: "'" }, 1234.5],
    ["0x10", /--drop x/, undefined, undefined],
    ["inf", /--drop x/, undefined, undefined],
    ["red", /--drop x/, undefined, undefined],
  ])("%s among numbers is refused; its remedy works", (cell, remedy, options, value) => {
    const text = withColumn((row) => (row === 2 ? cell : String(row % 7)), "x");
    expect(() => parseCsv(text)).toThrow(/line 4, column 1 \(x\)/);
    expect(() => parseCsv(text)).toThrow(remedy);
    expect(parseCsv(text, { drop: ["x"] }).featureNames).toEqual(["a", "b"]);
    if (options === undefined) return;
    // The other columns write fractions with a point.
    const plain = withColumn((row) => (row === 2 ? cell : String(row % 7)), "x").replaceAll(
      /-?[01]\.\d{4}/g,
      "1",
    );
    expect(parseCsv(plain, options).features[2 * 3]).toBe(value);
  });

  test("fills follow the rule, column by column", () => {
    const text = "x,y\n1,0\n,1\n3,0\n8,1\n";
    const filled = (missing: NonNullable<CsvOptions["missing"]>) => [...parseCsv(text, { missing }).features];
    expect(filled("mean")).toEqual([1, 4, 3, 8]);
    expect(filled("median")).toEqual([1, 3, 3, 8]);
    expect(filled("zero")).toEqual([1, 0, 3, 8]);
    expect(filled("drop")).toEqual([1, 3, 8]);
  });

  test("a gap among texts is a separate category", () => {
    const text = `town,y\n${"Bern,0\n,1\nUlm,1\n".repeat(4)}`;
    expect(() => parseCsv(text)).toThrow(/line 3, column 1 \(town\).*--missing/);
    const data = parseCsv(text, { missing: "zero" });
    expect(data.featureNames).toEqual(["town=Bern", "town=Ulm", "town=missing"]);
    expect([...data.features.subarray(0, 9)]).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0]);
  });
});

describe("columns", () => {
  test("text is one feature for each category; a text for each row is refused", () => {
    const data = parseCsv(withColumn((row) => ["x", "y"][row % 2] as string, "kind"));
    expect(data.featureNames).toEqual(["kind=x", "kind=y", "a", "b"]);
    expect([...data.features.subarray(0, 2)]).toEqual([1, 0]);
    const names = withColumn((row) => `name ${row}`, "name");
    expect(() => parseCsv(names)).toThrow(/60 different texts.*--drop name.*--categories name/);
    expect(parseCsv(names, { categories: ["name"] }).featureDims).toEqual([rows + 2]);
  });

  test.each(["", "id", "Unnamed: 0", "index", "row_id"])(
    "%j that counts the rows is left out, and said",
    (name) => {
      for (const from of [0, 1]) {
        const text = withColumn((row) => String(row + from), name);
        expect(parseCsv(text).featureNames).toEqual(["a", "b"]);
        expect(said(text)).toMatch(/counts the rows \(\d+ to \d+\): left out; to keep it: --keep /);
        expect(parseCsv(text, { keep: [0] }).featureNames).toEqual([name, "a", "b"]);
      }
    },
  );

  test("another counting column stays, with a note; an unnamed one that does not count is an error", () => {
    const days = withColumn((row) => String(row), "day");
    expect(parseCsv(days).featureNames).toEqual(["day", "a", "b"]);
    expect(said(days)).toMatch(/day counts the rows \(0 to 59\).*--drop day/);
    const odd = withColumn((row) => String((row * 7) % 11), "");
    expect(() => parseCsv(odd)).toThrow(/has no name.*--drop 0, --keep 0/);
    expect(parseCsv(odd, { drop: [0] }).featureNames).toEqual(["a", "b"]);
  });

  test("columns that give the label away are refused", () => {
    const twice = withColumn((row) => String(row % 3), "y");
    expect(() => parseCsv(twice)).toThrow(
      /columns 1 and 4 have the same name.*give the label away.*--drop 0/,
    );
    expect(() => parseCsv(twice, { label: "y" })).toThrow(/--label 0|--drop/);
    expect(parseCsv(twice, { drop: [0] }).featureNames).toEqual(["a", "b"]);
    const copy = withColumn((row) => String(row % 3), "y.1");
    expect(() => parseCsv(copy)).toThrow(/equals the label in every row.*--drop y\.1.*--keep y\.1/);
    expect(parseCsv(copy, { keep: ["y.1"] }).featureNames).toEqual(["y.1", "a", "b"]);
    expect(() => parseCsv("a,a,y\n1,2,0\n3,4,1\n")).toThrow(/columns 1 and 2 have the same name/);
  });

  test("whole numbers that float32 would merge are refused, or scaled first", () => {
    for (const cell of [
      (row: number) => String(16_777_216 + (row % 2)),
      (row: number) => String(1_700_000_000 + ((row * 7) % rows)),
    ]) {
      const text = withColumn(cell, "t");
      expect(() => parseCsv(text)).toThrow(/column 1 \(t\).*16,777,216.*--standardize.*--drop t/);
      const scaled = parseCsv(text, { standardize: true });
      const column = Array.from({ length: rows }, (_, row) => scaled.features[row * 3]);
      expect(new Set(column).size).toBe(new Set(Array.from({ length: rows }, (_, row) => cell(row))).size);
    }
    const ids = withColumn((row) => String(9007199254740992n + BigInt(row % 2)), "account");
    expect(() => parseCsv(ids)).toThrow(
      /become the same number as "9007199254740992".*--drop account.*--categories account/,
    );
    expect(parseCsv(ids, { categories: ["account"] }).featureNames?.slice(0, 2)).toEqual([
      "account=9007199254740992",
      "account=9007199254740993",
    ]);
  });
});

describe("the first line", () => {
  test.each(["0,1,target", "0,1,2", "2019,2020,y", "1,2,price"])(
    "%s over fractions names the columns",
    (head) => {
      if (head === "0,1,2")
        expect(() => parseCsv(table((row) => String(row % 3), head))).toThrow(/--header.*--no-header/);
      const options = head === "0,1,2" ? { header: true } : {};
      const data = parseCsv(
        table((row) => String(row % 3), head),
        options,
      );
      expect(data.count).toBe(rows);
      expect(data.featureNames).toEqual(head.split(",").slice(0, 2));
    },
  );

  test("names over texts are names, unless they are repeated", () => {
    const named = "color,shape,kind\nred,round,yes\nblue,square,no\nred,square,no\n";
    expect(parseCsv(named)).toMatchObject({
      count: 3,
      featureNames: ["color=blue", "color=red", "shape=round", "shape=square"],
    });
    expect(said(named)).toMatch(/line 1 names the columns.*--no-header/);
    expect(parseCsv(named.slice(named.indexOf("\n") + 1)).count).toBe(3);
  });

  test.each<[string, string, CsvOptions]>([
    ["sep=;", "sep=;\na;y\n1;0\n2;1\n", {}],
    ["a comment", "# made by tool\na,y\n1,0\n2,1\n", { comment: "#" }],
    ["prose", "A table, it is, of two\na,y\n1,0\n2,1\n", { skipRows: 1 }],
    ["CR alone", "a,y\r1,0\r2,1\r", {}],
    ["a byte order mark", "\ufeffa,y\n1,0\n2,1\n", {}],
    ["trailing delimiters", "a,y,\n1,0,\n2,1,\n", {}],
    ["trailing delimiters in the rows", "a,y\n1,0,\n2,1,\n", {}],
    ["tabs", "a\ty\n1\t0\n2\t1\n", { delimiter: "\t" }],
    ["pipes", "a|y\n1|0\n2|1\n", { delimiter: "|" }],
    ["delimiters at the end of some rows", "a,y\n1,0,\n2,1\n", {}],
    ["lines of spaces", "a,y\n  \n1,0\n \t\n2,1\n   ", {}],
    ["line ends of both kinds", "a,y\r1,0\r\n2,1\n", {}],
    ["runs of spaces", "  a   y\n  1   0  \r\n2     1\n", { delimiter: " " }],
    ["units below the names", "a,y\n[m],[-]\n1,0\n2,1\n", { comment: "[" }],
    ["a sum below the rows", "a,y\n1,0\n2,1\nTotal,\n", { comment: "Total" }],
    ["row names as R writes them", '"a","y"\n"1",1,0\n"2",2,1\n', {}],
    ["line ends in quotes", '"a",y\n1,0\n"2","1"\n', {}],
  ])("%s does not hide the table", (_, text, options) => {
    const data = parseCsv(text, options);
    expect([...data.features]).toEqual([1, 2]);
    expect([...(data.labels ?? [])]).toEqual([0, 1]);
    expect(data.featureNames).toEqual(["a"]);
  });

  test("decimal commas between semicolons are not mistaken for columns", () => {
    const text = "x;price\n1,5;1000,5\n2,5;2000,25\n";
    expect(() => parseCsv(text)).toThrow(/--delimiter ";"/);
    expect(() => parseCsv(text, { delimiter: ";" })).toThrow(/--decimal ,/);
    const data = parseCsv(text, { delimiter: ";", decimal: "," });
    expect([...data.features, ...(data.targets ?? [])]).toEqual([1.5, 2.5, 1000.5, 2000.25]);
  });

  test.each<[string, string, RegExp]>([
    ["a comment between rows", "a,y\n1,0\n# lunch\n2,1\n", /line 3.*--comment "#"/],
    ["a comment at the end", "a,y\n1,0\n2,1\n% end\n", /line 4.*--comment "%"/],
    ["units", table((row) => String(row % 3)).replace("\n", "\n[m],[kg],[-]\n"), /line 2.*--comment/],
    ["a sum", `${table((row) => String(row % 3))}Total,,\n`, /line 62.*--comment/],
    ["HTML", "<!DOCTYPE html>\n<p>Not found, sorry</p>\n", /looks like HTML.*Save the table as CSV/],
    ["JSON", '{"a": 1, "y": 0}\n{"a": 2, "y": 1}\n', /looks like JSON/],
    [
      "names of rows that do not count",
      "a,y\nMazda,1,0\nFord,2,1\n",
      /column 1.*no name.*--drop 0, --keep 0/,
    ],
    ["1e400", withColumn((row) => (row === 2 ? "1e400" : String(row % 7)), "x"), /line 4.*"1e400"/],
  ])("%s: is refused with line and remedy", (_, text, said) => {
    try {
      parseCsv(text);
      expect.fail("is taken");
    } catch (error) {
      const { message, received, remedy } = error as EspalierError;
      expect(`${message} ${JSON.stringify(received)} ${remedy}`).toMatch(said);
    }
  });

  test("points between semicolons that may group digits are pointed out", () => {
    const text = "people;y\n100.250;0\n101.500;1\n999;0\n";
    expect(said(text, { delimiter: ";" })).toMatch(/points in column 1.*--decimal , --thousands \./);
    expect([...parseCsv(text, { delimiter: ";", decimal: ",", thousands: "." }).features]).toEqual([
      100250, 101500, 999,
    ]);
    expect(said("people;y\n100.25;0\n101.500;1\n", { delimiter: ";" })).not.toMatch(/points/);
  });

  test("a comment is recognized as one", () => {
    expect(() => parseCsv("# made by tool\na,y\n1,0\n")).toThrow(
      /line 1\b.*comment.*--comment "#".*--skip-rows 1/s,
    );
  });
});

test("bytes are read as what they are, or refused with the encoding that reads them", async () => {
  const text = "größe,y\n1,0\n2,1\n";
  const latin = Uint8Array.from(text, (char) => char.charCodeAt(0));
  await expect(loadCsv(latin)).rejects.toThrow(/--encoding latin1/);
  expect((await loadCsv(latin, { encoding: "latin1" })).featureNames).toEqual(["größe"]);
  const wide = (mark: string) =>
    new Uint8Array(Uint16Array.from(mark + text, (char) => char.charCodeAt(0)).buffer);
  expect((await loadCsv(wide("\ufeff"))).featureNames).toEqual(["größe"]);
  await expect(loadCsv(wide(""))).rejects.toThrow(/utf-16le/);
  expect((await loadCsv(wide(""), { encoding: "utf-16le" })).featureNames).toEqual(["größe"]);
});
