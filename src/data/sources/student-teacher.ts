import { studentTeacher as samples } from "../generated/student-teacher.ts";
import { dataSource } from "./data-source.ts";

export const studentTeacher = dataSource({
  fields: {
    inputs: { type: "whole", default: 10 },
    hidden: { type: "whole", default: 10 },
    outputs: { type: "whole", default: 10 },
    count: { type: "whole", default: 1000 },
  },
  drawn: true,
  testShare: 0,
  load: (sizes, { seed }) => ({ train: samples({ ...sizes, seed }) }),
});
