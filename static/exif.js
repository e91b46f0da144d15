/** The orientation that a JPEG's EXIF states: whether every browser reads it as the server does. */

const ORIENTATION = 274;
const SHORT = 3;

/**
 * Whether browsers may differ: Firefox passes over EXIF with a padding byte that is not 0, and nobody promises what becomes of
 * a tag of another type or with several values. head: the first bytes of a JPEG, as latin1.
 */
export function hasUnusualExif(head) {
  const parts = head.split("Exif\0");
  if (parts.length !== 2) return parts.length > 2;
  const [padding, tiff] = [parts[1][0], parts[1].slice(1)];
  const order = { "II*\0": true, "MM\0*": false }[tiff.slice(0, 4)];
  if (padding !== "\0" || order === undefined) return true;
  const bytes = new DataView(Uint8Array.from(tiff, (letter) => letter.charCodeAt(0)).buffer);
  try {
    return !isUsual(bytes, order);
  } catch (error) {
    if (error instanceof RangeError) return true; // the directory is not in the file, or far behind
    throw error;
  }
}

/** Whether the first directory has no orientation, or one SHORT from 1 to 8. littleEndian: the order of its bytes. */
function isUsual(bytes, littleEndian) {
  const directory = bytes.getUint32(4, littleEndian);
  const count = bytes.getUint16(directory, littleEndian);
  for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
    if (bytes.getUint16(entry, littleEndian) !== ORIENTATION) continue;
    const value = bytes.getUint16(entry + 8, littleEndian);
    const single = bytes.getUint16(entry + 2, littleEndian) === SHORT && bytes.getUint32(entry + 4, littleEndian) === 1;
    return single && value >= 1 && value <= 8;
  }
  return true;
}
