import { mnist as load } from "../mnist.ts";
import { dataSource } from "./data-source.ts";

export const mnist = dataSource({
  fields: { folder: { type: "file", word: "FOLDER", default: "mnist" } },
  drawn: false,
  load: ({ folder }, { flat }) => load(folder, { flat }),
});
