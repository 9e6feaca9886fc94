import { crc32 } from "../crc32.ts";

/** A file to store in an archive; `pieces` have `size` bytes in total. */
export interface StoredFile {
  readonly name: string;
  readonly size: number;
  readonly pieces: () => Iterable<Uint8Array>;
}

/** Torch pads each header so that the bytes after it begin at a multiple of this. */
const alignment = 64;
const padding = 0x5a;

const full32 = 0xffffffff;

/** Whether a number fits in the 32 bits of the old fields. */
type Fits = (size: number) => boolean;

/**
 * The pieces of a zip file as torch writes it: files stored uncompressed, each beginning at a multiple of 64 bytes and
 * followed by its checksum. Sizes and offsets from `wideFrom` upward are written in 64 bits, as in zip64.
 */
export function* archivePieces(
  files: readonly StoredFile[],
  { wideFrom = full32 } = {},
): Generator<Uint8Array> {
  const fits = (size: number) => size < wideFrom;
  const listed: Uint8Array[] = [];
  let at = 0;
  for (const { name, size, pieces } of files) {
    const header = at;
    const local = localHeader(name, size, at, fits);
    yield local;
    let crc = 0;
    let written = 0;
    for (const piece of pieces()) {
      crc = crc32(piece, crc);
      written += piece.length;
      yield piece;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes, not ${size}`);
    const after = fits(size)
      ? fields([4, 0x08074b50], [4, crc], [4, size], [4, size])
      : fields([4, 0x08074b50], [4, crc], [8, size], [8, size]);
    yield after;
    listed.push(listEntry({ name, size, crc, header }, fits));
    at += local.length + size + after.length;
  }
  yield* listed;
  const length = listed.reduce((sum, { length }) => sum + length, 0);
  const count = files.length;
  yield fields(
    [4, 0x06064b50],
    [8, 44],
    [2, 0x031e],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, length],
    [8, at],
  );
  yield fields([4, 0x07064b50], [4, 0], [8, at + length], [4, 1]);
  const few = Math.min(count, 0xffff);
  yield fields(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, few],
    [2, few],
    [4, Math.min(length, full32)],
    [4, Math.min(at, full32)],
    [2, 0],
  );
}

function localHeader(name: string, size: number, at: number, fits: Fits): Uint8Array {
  const text = new TextEncoder().encode(name);
  const wide = fits(size) ? new Uint8Array() : fields([2, 1], [2, 16], [8, size], [8, size]);
  const unpadded = 30 + text.length + wide.length + 4;
  const room = (alignment - ((at + unpadded) % alignment)) % alignment;
  const extra = [...wide, ...fields([2, 0x4246], [2, room]), ...new Uint8Array(room).fill(padding)];
  const start = fields(
    [4, 0x04034b50],
    [2, 0],
    [2, 0x0808],
    [2, 0],
    [4, 0],
    [4, 0],
    [4, 0],
    [4, 0],
    [2, text.length],
    [2, extra.length],
  );
  return Uint8Array.from([...start, ...text, ...extra]);
}

interface Listed {
  readonly name: string;
  readonly size: number;
  readonly crc: number;
  /** Where its header begins. */
  readonly header: number;
}

function listEntry({ name, size, crc, header }: Listed, fits: Fits): Uint8Array {
  const text = new TextEncoder().encode(name);
  const wide = [...(fits(size) ? [] : [size, size]), ...(fits(header) ? [] : [header])];
  const extra =
    wide.length === 0 ? [] : fields([2, 1], [2, 8 * wide.length], ...wide.map((one) => [8, one] as const));
  const stored = fits(size) ? size : full32;
  const start = fields(
    [4, 0x02014b50],
    [2, 0],
    [2, 0],
    [2, 0x0808],
    [2, 0],
    [4, 0],
    [4, crc],
    [4, stored],
    [4, stored],
    [2, text.length],
    [2, extra.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, fits(header) ? header : full32],
  );
  return Uint8Array.from([...start, ...text, ...extra]);
}

/** Little-endian numbers, each with its number of bytes. */
function fields(...values: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, [length]) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [length, value] of values) {
    if (length === 2) view.setUint16(at, value, true);
    else if (length === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += length;
  }
  return bytes;
}
