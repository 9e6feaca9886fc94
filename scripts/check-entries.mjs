// Checks the published entries: every espalier type that an exported signature mentions is exported by one of
// them.
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.values(exports)
  .filter((target) => typeof target !== "string")
  .map(({ default: path }) => join(root, path.replace("./dist/", "src/").replace(/js$/, "ts")));

const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.json"), {}, ts.sys);
const program = ts.createProgram(entries, config.options);
const checker = program.getTypeChecker();

const resolved = (symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
const exported = new Set(
  entries.flatMap((entry) =>
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)))
      .map((symbol) => resolved(symbol)),
  ),
);

const isPrivate = (node) =>
  (node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
  (node.modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);

/** Calls `seen` with every type that the node's signature names: not in bodies or private members. */
function mentions(node, seen) {
  if (ts.isBlock(node) || isPrivate(node)) return;
  if (ts.isVariableDeclaration(node)) {
    if (node.type !== undefined) mentions(node.type, seen);
    return;
  }
  if (ts.isTypeReferenceNode(node)) seen(checker.getSymbolAtLocation(node.typeName));
  if (ts.isExpressionWithTypeArguments(node)) seen(checker.getSymbolAtLocation(node.expression));
  ts.forEachChild(node, (child) => mentions(child, seen));
}

const missing = new Map();
for (const symbol of exported) {
  for (const declaration of symbol.declarations ?? []) {
    mentions(declaration, (mentioned) => {
      if (mentioned === undefined || mentioned.flags & ts.SymbolFlags.TypeParameter) return;
      const target = resolved(mentioned);
      const file = target.declarations?.[0]?.getSourceFile().fileName;
      if (file === undefined || !file.startsWith(join(root, "src")) || exported.has(target)) return;
      missing.set(target, `${target.name} (${relative(root, file)}), which ${symbol.name} mentions`);
    });
  }
}

if (missing.size > 0) {
  console.error(`${missing.size} types are mentioned by exported signatures, but no entry exports them:`);
  for (const line of missing.values()) console.error(`  ${line}`);
  process.exit(1);
}
