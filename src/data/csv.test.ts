import { describe, expect, test } from "vitest";
import { platform } from "#platform";
import { type CsvOptions, loadCsv, parseCsv } from "./csv.ts";
import { standardizer } from "./standardize.ts";

const plain = "1,2,0\n3,4,1\n5,6,1\n";
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("parseCsv", () => {
  test("uses the last column as labels", () => {
    const { preprocessing: _, notes: __, ...data } = parseCsv(plain);
    expect(data).toEqual({
      name: "CSV",
      count: 3,
      features: Float32Array.from([1, 2, 3, 4, 5, 6]),
      featureDims: [2],
      labels: Int32Array.from([0, 1, 1]),
      classes: 2,
    });
  });

  test("accepts any label column by index or name, as class or number", () => {
    expect([...parseCsv(plain, { label: 0 }).features]).toEqual([2, 0, 4, 1, 6, 1]);
    expect([...parseCsv(plain, { label: -2, target: "number" }).targets!]).toEqual([2, 4, 6]);
    const named = parseCsv(`\ufeffx,"y, really",kind\n${plain}`, { label: "y, really", target: "number" });
    expect([...named.targets!]).toEqual([2, 4, 6]);
    expect(named.targetDims).toEqual([1]);
    expect(named.labels).toBeUndefined();
  });

  test("finds a header, and accepts every way to write a number", () => {
    expect(parseCsv(`x,y,kind\r\n${plain}`).count).toBe(3);
    expect(parseCsv("a,b\n1,0\n", { header: true }).count).toBe(1);
    // Text in the label column alone does not make a header.
    expect(parseCsv("1,cat\n2,dog\n").count).toBe(2);
    expect([...parseCsv(" +1.5e2,0\n-.5,0\n3.,0").features]).toEqual([150, -0.5, 3]);
    expect(parseCsv("2019,2020\n1,0\n", { header: true }).count).toBe(1);
  });

  test("understands scikit-learn's first line, reports its class names, and checks its count", () => {
    const data = parseCsv("3,2,left,right\n1,2,0\n3,4,1\n5,6,1\n");
    expect(data).toMatchObject({ count: 3, classes: 2, classNames: ["left", "right"] });
    // As in Iris, that line is as long as a row.
    expect(parseCsv("2,3,a,b\n1,2,3,0\n4,5,6,1\n").count).toBe(2);
    expect(parseCsv("3,2,left,right\n1,2,0\n", { skipRows: 1 }).classNames).toBeUndefined();
    expect(parseCsv("3,2,left,right,up\n1,2,0\n3,4,1\n5,6,1\n").classes).toBe(3);
  });

  test("numbers classes: text sorted, integers from 0 kept, other numbers by size, or as requested", () => {
    const classes = (cells: string[], options: CsvOptions = {}) => {
      const data = parseCsv(cells.map((cell) => `1,${cell}`).join("\n"), {
        header: false,
        target: "class",
        ...options,
      });
      return [[...data.labels!], data.classes, data.classNames];
    };
    expect(classes(["dog", "cat", "dog"])).toEqual([[1, 0, 1], 2, ["cat", "dog"]]);
    expect(classes(["3", "0", "3"])).toEqual([[3, 0, 3], 4, undefined]);
    expect(classes(["10", "-1", "2"])).toEqual([[2, 0, 1], 3, ["-1", "2", "10"]]);
    expect(classes(["1", "1.0", "3"])).toEqual([[0, 0, 1], 2, ["1", "3"]]);
    expect(classes(["1", "b"])).toEqual([[0, 1], 2, ["1", "b"]]);
    expect(classes(["b", "a"], { classNames: ["c", "b", "a"] })).toEqual([[1, 2], 3, ["c", "b", "a"]]);
  });

  test("keeps every row of a long file", () => {
    const data = parseCsv(Array.from({ length: 1000 }, (_, at) => `${at},${at + 0.5},${at % 5}`).join("\n"));
    expect([...data.features]).toEqual(Array.from({ length: 1000 }, (_, at) => [at, at + 0.5]).flat());
    expect([...data.labels!]).toEqual(Array.from({ length: 1000 }, (_, at) => at % 5));
  });

  test("standardizes by itself or by another's statistics", () => {
    const own = parseCsv(plain, { standardize: true });
    expect(own.features[0]).toBeCloseTo(-Math.sqrt(1.5), 6);
    const other = parseCsv("7,8,1\n", { header: false, standardize: standardizer(parseCsv(plain)) });
    expect(other.features[0]).toBeCloseTo(2 * Math.sqrt(1.5), 6);
  });

  test.each<[string, string, string, RegExp, CsvOptions?]>([
    ["a short row", "CSV", "1,2,0\n\n3,1\n", /line 3: must have 3 cells.*got 2/],
    ["a long row", "CSV", "x,y\n1,2\n1,2,3\n", /line 3/],
    ["text for a number", "CSV", "1,2,0\n3,four,1\n", /line 2, column 2.*"four"/],
    ["one bad cell in the first line", "CSV", "1,two,0\n3,4,1\n", /line 1, column 2/],
    ["a missing value", "CSV", "1,2,0\n,4,1\n", /line 2, column 1.*got ""/],
    ["hexadecimal", "CSV", "1,2,0\n3,0x10,1\n", /column 2/],
    ["NaN", "CSV", "1,2,0\n3,NaN,1\n", /column 2/],
    ["a number past float32", "CSV", "1,2,0\n3,1e39,1\n", /column 2/],
    ["text for a target", "CSV", "1,2,0\n3,4,x\n", /line 2, column 3/, { target: "number" }],
    ["a missing class", "CSV", "1,2,0\n3,4,\n", /line 2, column 3/],
    ["a stray class", "LABEL_RANGE", "1,a\n2,z\n", /line 2, column 2.*"z"/, { classNames: ["a", "b"] }],
    ["one column", "CSV", "1;2\n3;4\n", /two columns.*delimiter/],
    ["a file cut off", "CSV", "3,1,left,right\n1,0\n", /states 3 rows, got 1/],
    ["a label past scikit-learn's classes", "LABEL_RANGE", "1,1,left,right\n1,2\n", /0\.\.1/],
    ["no scikit-learn line", "CSV", plain, /class names/, { header: "sklearn" }],
    ["nothing", "EMPTY_DATA", "", /row/],
    ["a header alone", "EMPTY_DATA", "x,y\n", /row/],
    ["more skipped than there is", "EMPTY_DATA", plain, /row/, { skipRows: 9 }],
    ["an unknown column", "ARGUMENT", `x,y,kind\n${plain}`, /x, y, kind, got "z"/, { label: "z" }],
    ["a name without a header", "ARGUMENT", plain, /names no columns/, { label: "z", header: false }],
    ["a column too far", "ARGUMENT", plain, /3 columns/, { label: 3 }],
    ["a long delimiter", "ARGUMENT", plain, /one character/, { delimiter: ",," }],
  ])("refuses %s with %s", (_, code, text, message, options) => {
    const parse = () => parseCsv(text, options);
    expect(parse).toThrow(expect.objectContaining({ code }));
    expect(parse).toThrow(message);
  });
});

describe("loadCsv", () => {
  test("accepts bytes, gzip or not", async () => {
    const packed = new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip"));
    expect(await loadCsv(await new Response(packed).arrayBuffer())).toEqual(parseCsv(plain));
    expect(await loadCsv(utf8(plain))).toEqual(parseCsv(plain));
  });

  test("by default, treats labels with fractions as targets, and whole numbers or names as classes", () => {
    const of = (labels: readonly string[]) =>
      parseCsv(labels.map((label, row) => `${row},${label}\n`).join(""), { header: false, target: "auto" });
    expect(of(["1", "2.5", "3e0"])).toMatchObject({ targets: Float32Array.from([1, 2.5, 3]) });
    expect(of(["1", "2.5", "3e0"]).labels).toBeUndefined();
    expect(of(["1", "2", "3e0"])).toMatchObject({ classes: 3 });
    expect(() => of(["1", "2.5", "x"])).toThrow(/line 3, column 2: must be a number.*--task classification/);
  });

  test("refuses bytes that are not UTF-8, files over its limit, and missing files", async () => {
    await expect(loadCsv(Uint8Array.from([0xff, 0xfe, 0x31]))).rejects.toMatchObject({ code: "CSV" });
    const packed = new Blob([plain.repeat(1000)]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytes = await new Response(packed).arrayBuffer();
    await expect(loadCsv(bytes, { maxBytes: 10_000 })).rejects.toMatchObject({ code: "TOO_LARGE" });
    await expect(loadCsv("no/such.csv")).rejects.toThrow("no/such.csv");
  });
});

const shared = "../shared/data";
describe.skipIf((await platform.listFolder(shared)).length === 0)("the shared files", () => {
  test("scikit-learn's breast cancer and wine", async () => {
    const cancer = await loadCsv(`${shared}/breast_cancer.csv`);
    expect(cancer).toMatchObject({
      count: 569,
      featureDims: [30],
      classes: 2,
      classNames: ["malignant", "benign"],
    });
    expect(cancer.labels!.filter((label) => label === 0)).toHaveLength(212);
    const wine = await loadCsv(`${shared}/wine_data.csv`, { standardize: true });
    expect(wine).toMatchObject({ count: 178, featureDims: [13], classes: 3 });
    expect((await loadCsv(`${shared}/wine_data.csv`, { skipRows: 1 })).count).toBe(178);
  });
});
