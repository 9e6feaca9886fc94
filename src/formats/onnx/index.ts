export type { Limits } from "../limits.ts";
export { decodeModel } from "./decode.ts";
export { encodeModel } from "./encode.ts";
