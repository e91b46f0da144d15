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

/** entries: [{name, blob}], at most 4 GB in all. Returns a Blob; equal names are numbered. */
export async function zip(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  const names = new Map();
  for (const { name, blob } of entries) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const encodedName = new TextEncoder().encode(unique(name, names));
    const common = [[2, 20], [2, UTF8_NAMES], [2, 0], [4, 0x00210000], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, encodedName.length], [2, 0]];
    const header = packed([[4, LOCAL_HEADER], ...common]);
    parts.push(header, encodedName, bytes);
    directory.push(packed([[4, CENTRAL_HEADER], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), encodedName);
    offset += header.length + encodedName.length + bytes.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = packed([[4, END_OF_DIRECTORY], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
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

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function unique(name, names) {
  const count = names.get(name) ?? 0;
  names.set(name, count + 1);
  return count ? name.replace(/(\.[^.]*)?$/, (extension) => ` (${count + 1})${extension}`) : name;
}
