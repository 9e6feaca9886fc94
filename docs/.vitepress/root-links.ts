import type { MarkdownRenderer } from "vitepress";

/** Pages of the site that are files at the repository's root. */
const pages: Readonly<Record<string, string>> = {
  "ARCHITECTURE.md": "./architecture.md",
  "CONTRIBUTING.md": "./contributing.md",
  "BENCHMARKS.md": "./benchmarks.md",
  "CHANGELOG.md": "./changes.md",
  "README.md": "./index.md",
};

/** Lets a file at the root keep links that are right on disk: `docs/theory.md` and `ARCHITECTURE.md` find their pages. */
export function rootLinks(md: MarkdownRenderer): void {
  md.core.ruler.push("root-links", ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (href === null) continue;
      const [path = "", anchor] = href.replace(/^\.?\//, "").split("#");
      const page = pages[path.replace(/^\.\.\//, "")] ?? path.replace(/^docs\//, "./");
      if (page !== path) token.attrSet("href", anchor === undefined ? page : `${page}#${anchor}`);
    }
  });
}
