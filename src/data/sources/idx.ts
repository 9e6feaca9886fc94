import { imageAxes, loadIdx } from "../idx.ts";
import { dataSource } from "./data-source.ts";

export const idx = dataSource({
  fields: { images: { type: "file", word: "IMAGES" }, labels: { type: "file", word: "LABELS" } },
  reading: { axes: { type: "one", of: imageAxes } },
  drawn: false,
  load: async ({ images, labels, axes }) => ({
    train: await loadIdx(images, labels, axes === undefined ? {} : { axes }),
  }),
});
