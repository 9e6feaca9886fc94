// The room of preprocessing: the record, and its JSON.
export { preprocessingJson, readPreprocessing } from "./json.ts";
export {
  type CategoryColumn,
  type ClassTarget,
  type FeatureColumn,
  featureNames,
  type ImageFeatures,
  type NumberColumn,
  type NumberTarget,
  type Preprocessing,
  type Scale,
  type TableFeatures,
  type Target,
} from "./preprocessing.ts";
