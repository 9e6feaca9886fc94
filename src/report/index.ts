// espalier/report: the record of a run, and its page.

export { htmlReport } from "./html-report.ts";
export { jsonReport } from "./json-report.ts";
export {
  Recorder,
  type RecorderEvents,
  type RecorderOptions,
  type RunPast,
  type RunStatus,
} from "./record/recorder.ts";
export type { RunArm, RunDiagnosis, RunPoint, RunRecord } from "./record/run-record.ts";
