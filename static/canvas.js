/** What canvases of this browser can do. */

/** Whether a canvas can be as large as this: Safari's ends at 16.7 megapixels, and stays empty without an error. */
export function canDraw(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context?.fillRect(0, 0, 1, 1);
  const drawn = context?.getImageData(0, 0, 1, 1).data[3] === 255;
  Object.assign(canvas, { width: 0, height: 0 }); // frees its memory at once
  return drawn;
}
