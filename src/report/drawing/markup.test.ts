import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeText, markup } from "./markup.ts";

test("holes are escaped, markup is not, nothing leaves nothing", () => {
  const inner = markup`<b>${"<&>\"'"}</b>`;
  expect(markup`<p title="${'"'}">${[inner, undefined, false, 0, ""]}</p>`.text).toBe(
    '<p title="&quot;"><b>&lt;&amp;&gt;&quot;&#39;</b>0</p>',
  );
});

test("characters that XML forbids become U+FFFD", () => {
  expect(escapeText("a\u0000b\ud800c\uffffd\u{1f331}\n")).toBe("a\ufffdb\ufffdc\ufffdd\u{1f331}\n");
});

test("no text can open an element or an entity, or leave an attribute", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeText(text).replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toMatch(/[<>&"']/);
    }),
  );
});
