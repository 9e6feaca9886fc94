// A build starts from scratch, so that no file of an earlier one gets into the package.
import { rmSync } from "node:fs";

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
