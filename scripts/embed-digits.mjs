// Writes src/data/digits-bytes.ts from the digits as gzipped CSV (64 pixels 0..16, then the label; 1,797 rows):
//   node scripts/embed-digits.mjs path/to/digits.csv.gz
import { readFile, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: node scripts/embed-digits.mjs path/to/digits.csv[.gz]");
const file = await readFile(path);
const text = file[0] === 0x1f ? gunzipSync(file) : file;
const rows = text.toString("latin1").trim().split("\n");
if (rows.length !== 1797 || rows.some((row) => row.split(",").length !== 65)) {
  throw new Error(`${path}: needs 1797 rows of 65 cells`);
}
const packed = gzipSync(rows.join("\n"), { level: 9 }).toString("base64");
await writeFile(
  new URL("../src/data/digits-bytes.ts", import.meta.url),
  `// Made by scripts/embed-digits.mjs. UCI optical digits, CC BY 4.0; see digits.ts.
// With an explicit type, because the declarations would otherwise repeat the bytes.
export const digitsBase64: string =
  "${packed}";
`,
);
