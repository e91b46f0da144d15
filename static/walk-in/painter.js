/** Draws one frame: the photomosaic, above it the photos of the cells that are large enough, and the selected cell. */

const APPEARS_PX = 40; // side of a cell on the screen from which its photo is blended in,
const WHOLE_PX = 110; // and from which only the photo is seen
const FADE_MS = 180;
const MARK_PX = 3;

/** base, pictures: what is drawn. map: the cell map, with `inset`, the pixels that margins cover [before, after] each cell. size: of the
 * photomosaic. hidden: whether a tile stays as it is in the photomosaic. */
export class Painter {
  #context;
  #base;
  #pictures;
  #map;
  #size;
  #hidden;
  #cropAt;

  constructor(canvas, { base, pictures, map, size, hidden }) {
    this.#context = canvas.getContext("2d", { alpha: true });
    this.#base = base;
    this.#pictures = pictures;
    this.#map = map;
    this.#size = size;
    this.#hidden = hidden;
    this.#cropAt = cropsOf(map);
  }

  /** ratio: device pixels of a CSS pixel. covered: whether the canvas hides what is below it. Returns whether something is
   * still fading in. */
  draw(camera, { frame, ratio, covered }, selected, now) {
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, frame.width, frame.height);
    const opacity = covered ? blend(Math.min(this.#map.wide, this.#map.high) * camera.scale) : 0;
    if (covered) this.#drawBase(camera, frame, ratio);
    this.#pictures.begin();
    const fading = opacity > 0 && this.#drawPhotos(camera, frame, ratio, opacity, now);
    this.#pictures.end();
    if (selected) this.#drawMark(camera, selected);
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

  #drawPhotos(camera, frame, ratio, opacity, now) {
    const { wide, high, rows, columns, tiles } = this.#map;
    const [left, top] = camera.toPicture(0, 0);
    const [right, bottom] = camera.toPicture(frame.width, frame.height);
    const visible = (from, to, side, count) => [Math.max(0, Math.floor(from / side)), Math.min(count, Math.ceil(to / side))];
    const [[firstRow, lastRow], [firstColumn, lastColumn]] = [visible(top, bottom, high, rows), visible(left, right, wide, columns)];
    let fading = false;
    for (let row = firstRow; row < lastRow; row += 1) {
      for (let column = firstColumn; column < lastColumn; column += 1) {
        const place = row * columns + column;
        if (this.#hidden(tiles[place])) continue;
        const near = Math.hypot((column + 0.5) * wide - camera.x, (row + 0.5) * high - camera.y);
        const photo = this.#pictures.get(tiles[place], this.#cropAt(place), wide * camera.scale * ratio, near);
        if (!photo) continue;
        const fresh = Math.min(1, (now - photo.since) / FADE_MS);
        fading ||= fresh < 1;
        this.#drawPhoto(camera, photo.bitmap, { row, column, mirrored: this.#map.mirrored?.[place] }, opacity * fresh);
      }
    }
    return fading;
  }

  #drawPhoto(camera, bitmap, { row, column, mirrored }, opacity) {
    const context = this.#context;
    const { wide, high, inset } = this.#map;
    const box = this.#box(row, column, inset);
    const [x, y] = camera.toFrame(box.left, box.top);
    const [width, height] = [box.width * camera.scale, box.height * camera.scale];
    const [across, down] = [bitmap.width / wide, bitmap.height / high];
    const part = [(box.left - column * wide) * across, (box.top - row * high) * down, box.width * across, box.height * down];
    context.globalAlpha = opacity;
    context.imageSmoothingQuality = "low";
    if (mirrored) {
      part[0] = bitmap.width - part[0] - part[2];
      context.save();
      context.translate(x + width, y);
      context.scale(-1, 1);
      context.drawImage(bitmap, ...part, 0, 0, width, height);
      context.restore();
    } else {
      context.drawImage(bitmap, ...part, x, y, width, height);
    }
    context.globalAlpha = 1;
  }

  /** What is seen of a cell, in pixels of the photomosaic: its edge cuts the last ones, margins cover the borders between them. */
  #box(row, column, [before, after]) {
    const { wide, high } = this.#map;
    const [left, top] = [column * wide + (column ? before : 0), row * high + (row ? before : 0)];
    const [right, bottom] = [Math.min(this.#size.width, (column + 1) * wide - after), Math.min(this.#size.height, (row + 1) * high - after)];
    return { left, top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
  }

  #drawMark(camera, [row, column]) {
    const box = this.#box(row, column, [0, 0]);
    const [x, y] = camera.toFrame(box.left, box.top);
    const context = this.#context;
    for (const [colour, px] of [["#12172b", MARK_PX * 2], ["#fff", MARK_PX]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: px });
      context.strokeRect(x, y, box.width * camera.scale, box.height * camera.scale);
    }
  }
}

/** How much of the photo is seen in a cell so large, 0 to 1. */
function blend(px) {
  const share = Math.min(1, Math.max(0, (px - APPEARS_PX) / (WHOLE_PX - APPEARS_PX)));
  return share * share * (3 - 2 * share);
}

/** place of a cell -> which part of its photo it shows. Older maps say it of each photo, not of each cell. */
function cropsOf({ tiles, crops, cell_crops: shown, centerings }) {
  const named = ([left, top, size = 1]) => ({ key: `${left} ${top} ${size}`, left, top, size });
  const all = (crops ?? centerings ?? []).map((each) => named(each ?? [0.5, 0.5]));
  const middle = named([0.5, 0.5]);
  return (place) => all[crops ? shown[place] : tiles[place]] ?? middle;
}
