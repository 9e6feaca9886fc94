import { builtinModules } from "node:module";
import { join, relative } from "node:path";
import { build } from "esbuild";

const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/**
 * The two ways in: the sources, in chunks as most bundlers make them (threads need that: docs/browser.md), and what npm
 * publishes, found through the package's own exports and imports, in one file.
 */
export const forms = {
  source: { name: "source", library: "./src/index.ts", conditions: ["espalier-source"], splitting: true },
  published: { name: "published", library: "espalier", conditions: [], splitting: false },
};

/** What the page and Node load: the library under test, and the stories told with it. */
const entry = (library) => `
  export * as library from ${JSON.stringify(library)};
  export * as stories from "./test/browser/stories.ts";
`;

/** ES modules for a browser, by the path that they are served at ("/source/main.js", ...). */
export async function bundleForBrowser(root, { name, library, conditions, splitting }) {
  const { outputFiles, metafile } = await build({
    ...common(root, entry(library), conditions),
    platform: "browser",
    splitting,
  });
  const served = outputFiles.map(({ path, contents }) => [
    `/${name}/${relative(join(root, "out"), path)}`,
    contents,
  ]);
  return { files: Object.fromEntries(served), metafile };
}

/** The same for Node, written to `folder`/main.mjs. onnxruntime-node stays outside: it loads a native library. */
export async function bundleForNode(root, { library, conditions }, folder) {
  await build({
    ...common(root, entry(library), conditions),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    external: ["onnxruntime-node"],
    write: true,
  });
  return join(folder, "main.mjs");
}

/** The whole public entry, minified, without ONNX Runtime; and the bytes that the digits take in it. */
export async function bundleAlone(root) {
  const { outputFiles, metafile } = await build({
    ...common(root, `export * from "./src/index.ts";`, forms.source.conditions),
    platform: "browser",
    external: ["onnxruntime-web"],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  return { code: outputFiles[0].contents, digits: inputs["src/data/digits-bytes.ts"]?.bytesInOutput ?? 0 };
}

/** Whatever in a bundle belongs to Node: its built-in modules, onnxruntime-node, our own Node files. */
export function nodeParts({ inputs, outputs }) {
  const files = Object.keys(inputs).filter((path) =>
    /onnxruntime-node\/|platform\/node\.|runtime-node\.|\(disabled\)|\/cli\//.test(path),
  );
  const imports = [...Object.values(inputs), ...Object.values(outputs)]
    .flatMap((file) => file.imports.map(({ path }) => path))
    .filter((path) => builtins.has(path) || path.startsWith("onnxruntime-node"));
  return [...new Set([...files, ...imports])];
}

/** @returns {import("esbuild").BuildOptions} */
function common(root, contents, conditions) {
  return {
    stdin: { contents, resolveDir: root, loader: "ts", sourcefile: "main.ts" },
    absWorkingDir: root,
    outdir: join(root, "out"),
    entryNames: "main",
    bundle: true,
    format: "esm",
    target: "es2023",
    conditions: ["import", ...conditions],
    minify: true,
    metafile: true,
    write: false,
    logLevel: "silent",
  };
}
