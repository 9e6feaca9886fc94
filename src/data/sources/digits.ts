import { allDigits } from "../digits.ts";
import { dataSource } from "./data-source.ts";

export const digits = dataSource({
  fields: {},
  drawn: false,
  load: async () => ({ train: await allDigits() }),
});
