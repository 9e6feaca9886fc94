import { readdirSync, readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "src");

/**
 * Who may import whom, as data: a folder imports from itself and from the folders that its row names. Rows are in the
 * order in which data flows; a row may only name rows above it.
 */
const table: Readonly<Record<string, readonly string[]>> = {
  tensor: [],
  platform: ["tensor"],
  data: ["tensor", "platform"],
  graph: ["tensor"],
  ops: ["tensor", "graph"],
  formats: ["tensor", "graph", "ops"],
  growth: ["tensor", "graph", "ops"],
  engine: ["tensor"],
  nn: ["tensor", "graph", "ops"],
  models: ["tensor", "platform", "graph", "ops", "formats", "engine"],
  checkpoints: ["tensor", "platform", "graph", "ops", "formats", "growth", "engine", "models"],
  training: ["tensor", "platform", "data", "graph", "ops", "formats", "growth", "engine", "models"],
  report: ["tensor", "data", "growth", "models", "training"],
  compare: ["tensor", "data", "graph", "formats", "growth", "nn", "models", "training", "report"],
  cli: [
    "tensor",
    "platform",
    "data",
    "graph",
    "formats",
    "growth",
    "nn",
    "models",
    "checkpoints",
    "training",
    "report",
    "compare",
  ],
};

/**
 * The rooms of a folder, in import order: a file imports from its own room and from rooms further left. "."
 * stands for the files directly in the folder, except those that are listed by name.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  data: [
    "preprocessing",
    "columns.ts",
    "targets.ts",
    "dataset.ts",
    "gzip.ts",
    "source.ts",
    "table",
    "generated",
    ".",
    "sources",
    "index.ts",
  ],
  ops: [
    "rules",
    "elementwise",
    "logic",
    "activations",
    "moving",
    "products",
    "reducing",
    "windows",
    "normalizing",
    "recurrent",
    ".",
    "rewrites",
  ],
  growth: ["plan", "find", "strategies", "examine", "scores", "importance", "grow", "shrink", "."],
  training: [
    "options",
    "schedules",
    "optimizers",
    "metrics",
    "losses",
    "policy",
    "settings",
    "graphs",
    "verification",
    "learner",
    "measure",
    "compilation",
    "history",
    "examine",
    "resize",
    "trainer",
    ".",
  ],
  report: ["record", "drawing", "sections", "."],
  compare: ["statistics", ".", "page", "index.ts"],
  checkpoints: ["folder", "architecture", "families", ".", "grow", "optimizer", "verify"],
  cli: ["print", "options", "folder", "model", "train", "compare", "."],
};

/** A folder with more files than this should be split into rooms. */
const roomLimit = 30;

/** External modules that only some files may import. */
const outside: Readonly<Record<string, (file: string) => boolean>> = {
  "onnxruntime-node": (file) => file === "engine/runtime-node.ts",
  "onnxruntime-web": (file) => file === "engine/runtime-web.ts",
  "ml-matrix": (file) => file === "growth/plan/matrix.ts",
  commander: (file) => file.startsWith("cli/"),
  "d3-scale": (file) => file.startsWith("report/"),
  "d3-shape": (file) => file.startsWith("report/"),
};

/** Node's own modules stay out of the browser build. */
const mayUseNode = (file: string) => file.startsWith("cli/") || file.startsWith("platform/node");

/** Names in package.json's "imports". */
const aliases: Readonly<Record<string, string>> = { "#platform": "platform", "#runtime": "engine" };

const lineLimit = 400;

interface Import {
  readonly file: string;
  readonly target: string;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : path.endsWith(".ts") ? [path] : [];
  });
}

const files = filesUnder(source).filter((path) => !path.endsWith(".test.ts"));
const imports: readonly Import[] = files.flatMap((path) =>
  [...readFileSync(path, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, target]) => ({
    file: relative(source, path).replaceAll("\\", "/"),
    target: target as string,
  })),
);

function folderOf({ file, target }: Import): string {
  const alias = aliases[target];
  if (alias !== undefined) return alias;
  return relative(source, resolve(source, dirname(file), target)).split(/[\\/]/)[0] as string;
}

/** The file that an internal import names, relative to src; none for an alias. */
function targetOf({ file, target }: Import): string {
  return relative(source, resolve(source, dirname(file), target)).replaceAll("\\", "/");
}

/** The folder and the room that a file is in. */
function placeOf(file: string) {
  const [folder = "", room = "", ...rest] = file.split("/");
  const own = rest.length > 0 || rooms[folder]?.includes(room);
  return { folder, room: own ? room : "." };
}

/**
 * The circles among the files, type imports included: groups of files each of which imports every other,
 * directly or not (strongly connected components, by Tarjan's algorithm).
 */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const order = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    order.set(file, order.size);
    let low = order.get(file) as number;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (path.includes(next)) low = Math.min(low, order.get(next) as number);
    }
    if (low === order.get(file)) {
      const circle = path.splice(path.indexOf(file));
      if (circle.length > 1 || graph.get(file)?.includes(file)) circles.push(circle.sort());
    }
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}

const placed = files.map((path) => placeOf(relative(source, path).replaceAll("\\", "/")));

/** "onnxruntime-web/wasm" comes from the package "onnxruntime-web". */
const packageOf = (target: string) =>
  target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");

const isInside = ({ target }: Import) => target.startsWith(".") || Object.hasOwn(aliases, target);

describe("architecture", () => {
  test("the scan sees the source", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(300);
  });

  test("the table only looks up", () => {
    const rows = Object.keys(table);
    for (const [folder, allowed] of Object.entries(table)) {
      for (const other of allowed)
        expect(rows.indexOf(other), `${folder} may import ${other}`).toBeLessThan(rows.indexOf(folder));
    }
  });

  test("formats, growth, engine and nn do not import each other", () => {
    const apart = ["formats", "growth", "engine", "nn"];
    for (const folder of apart) expect(table[folder]?.filter((other) => apart.includes(other))).toEqual([]);
  });

  test("every folder has a row", () => {
    const folders = new Set(
      files
        .map((path) => relative(source, path).split(/[\\/]/))
        .filter((parts) => parts.length > 1)
        .map(([first]) => first),
    );
    expect([...folders].sort()).toEqual(Object.keys(table).sort());
  });

  test("imports follow the table", () => {
    const wrong = imports
      .filter(isInside)
      .filter(({ file }) => file.includes("/"))
      .filter((entry) => {
        const from = entry.file.split("/")[0] as string;
        const to = folderOf(entry);
        return from !== to && !table[from]?.includes(to);
      });
    expect(wrong).toEqual([]);
  });

  test("every room has a place in its folder", () => {
    for (const [folder, order] of Object.entries(rooms)) {
      const found = new Set(placed.filter((place) => place.folder === folder).map(({ room }) => room));
      expect([...found].sort(), folder).toEqual([...order].sort());
    }
  });

  test("imports between rooms run one way", () => {
    const wrong = imports.filter(isInside).filter((entry) => {
      if (Object.hasOwn(aliases, entry.target)) return false;
      const [from, to] = [placeOf(entry.file), placeOf(targetOf(entry))];
      const order = rooms[from.folder];
      if (order === undefined || from.folder !== to.folder) return false;
      return order.indexOf(to.room) > order.indexOf(from.room);
    });
    expect(wrong).toEqual([]);
  });

  test("no files import one another in a circle, not even types", () => {
    expect(
      circlesIn(
        new Map([
          ["a", ["b", "c"]],
          ["b", ["c"]],
          ["c", ["b"]],
        ]),
      ),
    ).toEqual([["b", "c"]]);
    const graph = new Map(
      files.map((path) => [relative(source, path).replaceAll("\\", "/"), [] as string[]]),
    );
    for (const entry of imports.filter(({ target }) => target.startsWith(".")))
      graph.get(entry.file)?.push(targetOf(entry));
    expect(circlesIn(graph)).toEqual([]);
  });

  test(`no folder has more than ${roomLimit} files`, () => {
    const sizes = new Map<string, number>();
    for (const path of files) sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1);
    const full = [...sizes].filter(([, size]) => size > roomLimit).map(([path]) => relative(source, path));
    expect(full).toEqual([]);
  });

  test("outside modules stay where they belong", () => {
    const wrong = imports
      .filter((entry) => !isInside(entry))
      .filter(({ file, target }) => {
        if (target.startsWith("node:") || builtinModules.includes(target)) return !mayUseNode(file);
        return !(outside[packageOf(target)]?.(file) ?? false);
      });
    expect(wrong).toEqual([]);
  });

  test("the public entry only exports", () => {
    const lines = readFileSync(join(source, "index.ts"), "utf8").split("\n");
    const statements = lines.filter((line) => line.trim() !== "" && !line.startsWith("//"));
    const text = statements.join("\n").replaceAll(/export (?:type )?\{[^}]*\} from "[^"]+";/g, "");
    expect(text.trim()).toBe("");
  });

  test(`no file is longer than ${lineLimit} lines`, () => {
    const long = files
      .filter((path) => !path.endsWith("-bytes.ts"))
      .map((path) => ({ file: relative(source, path), lines: readFileSync(path, "utf8").split("\n").length }))
      .filter(({ lines }) => lines > lineLimit);
    expect(long).toEqual([]);
  });
});
