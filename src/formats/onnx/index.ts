export type { Limits } from "../limits.ts";
export { type DecodeOptions, decodeModel } from "./decode.ts";
export { encodeModel, encodeModelChunks, type SplitModel, splitModel } from "./encode.ts";
export type { ExternalFiles } from "./external.ts";
