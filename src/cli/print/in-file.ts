import { EspalierError } from "../../tensor/errors.ts";

/** The same error, naming the file that it is about; anything but an {@link EspalierError} is returned unchanged. */
export function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof EspalierError) || error.thing.includes(path)) return error;
  const { code, thing, rule, received, remedy, cause } = error;
  return new EspalierError(code, {
    thing: `${path}, ${thing}`,
    rule,
    ...(received === undefined ? {} : { received }),
    ...(remedy === undefined ? {} : { remedy }),
    cause,
  });
}
