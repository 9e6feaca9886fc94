#!/usr/bin/env node
import { processIo } from "./print/io.ts";
import { main } from "./program.ts";

// Not process.exit: what was written to a pipe must get out first.
process.exitCode = await main(process.argv.slice(2), processIo);
