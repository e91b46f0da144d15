/** Draws one frame: the photomosaic, above it the photos of the cells that are large enough, and the selected cell. */

const APPEARS_PX = 40; // side of a cell on the screen from which its photo is blended in,
const WHOLE_PX = 110; // and from which only the photo is seen
const FADE_MS = 180;
const MARK_PX = 3;

/** base, pictures: what is drawn. cells: where they lie, and the tile of each. size: of the photomosaic. hidden: whether a tile stays as it
 * is in the photomosaic. */
export class Painter {
  #context;
  #base;
  #pictures;
  #cells;
  #size;
  #hidden;

  constructor(canvas, { base, pictures, cells, size, hidden }) {
    this.#context = canvas.getContext("2d", { alpha: true });
    this.#base = base;
    this.#pictures = pictures;
    this.#cells = cells;
    this.#size = size;
    this.#hidden = hidden;
  }

  /** ratio: device pixels of a CSS pixel. covered: whether the canvas hides what is below it. Returns whether something is
   * still fading in. */
  draw(camera, { frame, ratio, covered }, selected, now) {
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, frame.width, frame.height);
    if (covered) this.#drawBase(camera, frame, ratio);
    this.#pictures.begin();
    const fading = covered && this.#drawPhotos(camera, frame, ratio, now);
    this.#pictures.end();
    if (selected !== null) this.#drawMark(camera, selected);
    return fading;
  }

  #drawBase(camera, frame, ratio) {
    const { width, height } = this.#size;
    const level = this.#base.pick(width * camera.scale * ratio);
    if (!level) return;
    const [left, top] = camera.toPicture(0, 0).map((place) => Math.max(0, place));
    const [right, bottom] = camera.toPicture(frame.width, frame.height);
    const part = [left, top, Math.min(width, right) - left, Math.min(height, bottom) - top];
    const zoom = level.width / width;
    const [x, y] = camera.toFrame(left, top);
    this.#context.imageSmoothingQuality = zoom > 1.5 * camera.scale * ratio ? "medium" : "low";
    this.#context.drawImage(level.source, ...part.map((length) => length * zoom), x, y, part[2] * camera.scale, part[3] * camera.scale);
  }

  #drawPhotos(camera, frame, ratio, now) {
    const { wide, high, tiles } = this.#cells;
    if (Math.min(wide, high) * camera.scale <= APPEARS_PX) return false;
    let fading = false;
    for (const cell of this.#cells.visible(...camera.toPicture(0, 0), ...camera.toPicture(frame.width, frame.height))) {
      const box = this.#cells.box(cell);
      const opacity = blend(Math.min(box.width, box.height) * camera.scale);
      if (opacity === 0 || this.#hidden(tiles[cell])) continue;
      const near = Math.hypot(box.left + box.width / 2 - camera.x, box.top + box.height / 2 - camera.y);
      const photo = this.#pictures.get(tiles[cell], this.#cells.cropAt(cell), box.width * camera.scale * ratio, near);
      if (!photo) continue;
      const fresh = Math.min(1, (now - photo.since) / FADE_MS);
      fading ||= fresh < 1;
      this.#drawPhoto(camera, photo.bitmap, cell, box, opacity * fresh);
    }
    return fading;
  }

  /** Draws what is seen of a cell: the picture's edge cuts the last ones, margins cover the borders between them. */
  #drawPhoto(camera, bitmap, cell, box, opacity) {
    const context = this.#context;
    const outline = this.#cells.outline(cell);
    const [x, y] = camera.toFrame(box.left, box.top);
    const [width, height] = [box.width * camera.scale, box.height * camera.scale];
    context.save();
    context.globalAlpha = opacity;
    context.imageSmoothingQuality = "low";
    if (this.#cells.clipped) {
      this.#trace(camera, outline);
      context.clip();
    }
    context.translate(this.#cells.mirrored[cell] ? x + width : x, y);
    if (this.#cells.mirrored[cell]) context.scale(-1, 1);
    if (this.#cells.clipped) context.drawImage(bitmap, 0, 0, width, height);
    else this.#drawPart(bitmap, box, outline, this.#cells.mirrored[cell], camera.scale);
    context.restore();
  }

  /** Draws the part of a bitmap that a rectangular outline shows, which costs less than to clip it. */
  #drawPart(bitmap, box, [[west, north], , [east, south]], mirrored, scale) {
    const left = mirrored ? box.left + box.width - east : west - box.left;
    const part = [left, north - box.top, east - west, south - north];
    const [across, down] = [bitmap.width / box.width, bitmap.height / box.height];
    this.#context.drawImage(bitmap, part[0] * across, part[1] * down, part[2] * across, part[3] * down, ...part.map((length) => length * scale));
  }

  #drawMark(camera, cell) {
    const context = this.#context;
    this.#trace(camera, this.#cells.outline(cell, { lines: false }));
    for (const [colour, px] of [["#12172b", MARK_PX * 2], ["#fff", MARK_PX]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: px });
      context.stroke();
    }
  }

  /** Makes an outline the current path. */
  #trace(camera, points) {
    this.#context.beginPath();
    for (const [x, y] of points) this.#context.lineTo(...camera.toFrame(x, y));
    this.#context.closePath();
  }
}

/** How much of the photo is seen in a cell so large, 0 to 1. */
function blend(px) {
  const share = Math.min(1, Math.max(0, (px - APPEARS_PX) / (WHOLE_PX - APPEARS_PX)));
  return share * share * (3 - 2 * share);
}
