/** Builds a ZIP archive in the browser. Entries are stored without compression: images are compressed already. */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
const UTF8_NAMES = 0x0800;
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;

/**
 * An archive of at most 4 GB. It refers to the Blobs of its entries, which browsers keep on disk, and reads them piece by
 * piece: its own memory does not grow with their size.
 */
export class ZipArchive {
  #parts = [];
  #directory = [];
  #names = new Map();
  #count = 0;
  #size = 0;

  /** The bytes of the entries and their headers. */
  get size() { return this.#size; }

  /** Adds an entry; equal names are numbered. */
  async add(name, blob) {
    const encodedName = new TextEncoder().encode(unique(name, this.#names));
    const crc = await crc32(blob);
    const common = [[2, 20], [2, UTF8_NAMES], [2, 0], [4, 0x00210000], [4, crc], [4, blob.size], [4, blob.size], [2, encodedName.length], [2, 0]];
    const header = packed([[4, LOCAL_HEADER], ...common]);
    const place = [[2, 0], [2, 0], [2, 0], [4, 0], [4, this.#size]];
    this.#parts.push(header, encodedName, blob);
    this.#directory.push(packed([[4, CENTRAL_HEADER], [2, 20], ...common, ...place]), encodedName);
    this.#count += 1;
    this.#size += header.length + encodedName.length + blob.size;
  }

  /** The archive with its directory. */
  toBlob() {
    const bytes = this.#directory.reduce((sum, { length }) => sum + length, 0);
    const end = [[4, END_OF_DIRECTORY], [2, 0], [2, 0], [2, this.#count], [2, this.#count], [4, bytes], [4, this.#size], [2, 0]];
    return new Blob([...this.#parts, ...this.#directory, packed(end)], { type: "application/zip" });
  }
}

/** Little-endian fields, [bytes, value]. */
function packed(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [width]) => sum + width, 0)));
  let offset = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
    offset += width;
  }
  return new Uint8Array(view.buffer);
}

async function crc32(blob) {
  const reader = blob.stream().getReader();
  let value = 0xffffffff;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    for (const byte of piece.value) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}

function unique(name, names) {
  const count = names.get(name) ?? 0;
  names.set(name, count + 1);
  return count ? name.replace(/(\.[^.]*)?$/, (extension) => ` (${count + 1})${extension}`) : name;
}
