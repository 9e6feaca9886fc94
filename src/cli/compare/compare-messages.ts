import type { Job } from "../../compare/job.ts";

/** To a worker process. */
export type ToWorker = { readonly kind: "run"; readonly job: Job } | { readonly kind: "stop" };

/** From a worker process. A result is on disk before its message is sent. */
export type FromWorker =
  | { readonly kind: "progress"; readonly share: number }
  | { readonly kind: "done" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string };
