// The preprocessing record, and its JSON.
export { preprocessingJson, readPreprocessing } from "./json.ts";
export {
  type CategoryColumn,
  type ClassTarget,
  type FeatureColumn,
  type ImageFeatures,
  isWide,
  type NumberColumn,
  type NumberTarget,
  type Preprocessing,
  type Scale,
  type TableFeatures,
  type Target,
  wideColumns,
} from "./preprocessing.ts";
