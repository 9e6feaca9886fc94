import { readFileSync } from "node:fs";
import { defineConfig } from "vitepress";
import { rootLinks } from "./root-links.ts";

/** What typedoc lists; absent before the first `npm run reference`. */
const reference = JSON.parse(
  readFileSync(new URL("../reference/typedoc-sidebar.json", import.meta.url), "utf8"),
);

export default defineConfig({
  title: "espalier",
  description: "Neural networks that grow while they train, without changing what they compute.",
  // Works from any folder of any file server.
  base: "/",
  cleanUrls: false,
  srcExclude: ["node_modules/**", "plots/**"],
  markdown: { config: rootLinks },
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/getting-started" },
      { text: "Theory", link: "/theory" },
      { text: "Reference", link: "/reference/" },
    ],
    sidebar: {
      "/reference/": [{ text: "API reference", items: reference }],
      "/": [
        {
          text: "Guide",
          items: [
            { text: "Getting started", link: "/getting-started" },
            { text: "Growing during training", link: "/training" },
            { text: "From a table to answers", link: "/from-a-table" },
            { text: "Grow any model", link: "/grow-any-model" },
            { text: "Which values new units get", link: "/strategies" },
            { text: "Does growing pay?", link: "/does-growing-pay" },
            { text: "In the browser", link: "/browser" },
          ],
        },
        {
          text: "Background",
          items: [
            { text: "Theory", link: "/theory" },
            { text: "Glossary", link: "/glossary" },
            { text: "Real models", link: "/real-models" },
            { text: "The zoo", link: "/zoo" },
          ],
        },
        {
          text: "Development",
          items: [
            { text: "Architecture", link: "/architecture" },
            { text: "Contributing", link: "/contributing" },
            { text: "Benchmarks", link: "/benchmarks" },
            { text: "Changes", link: "/changes" },
          ],
        },
      ],
    },
  },
});
