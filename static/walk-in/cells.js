/** Where the cells of a photomosaic lie: rectangles, each of which may be split into four, or hexagons. Lengths are pixels of the picture. */

/** map: the cell map. size: of the picture. margin: of the recipe. */
export function cellsOf(map, size, margin = 0) {
  return map.shape === "hexagon" ? new Hexagons(map, size, margin) : new Rectangles(map, size, margin);
}

/** What both kinds have: cells are numbered as in the cell map; `tiles` and `mirrored` are of each, and cropAt says which part of its
 * photo one shows. */
class Cells {
  constructor(map, size) {
    Object.assign(this, { tiles: map.tiles, mirrored: map.mirrored ?? [], rows: map.rows, columns: map.columns, size });
    Object.assign(this, { wide: map.cell, high: map.cell_height ?? map.cell, cropAt: cropsOf(map) });
  }

  /** Width / height of a cell. */
  get aspect() { return this.wide / this.high; }

  /** The shorter side of the smallest cells. */
  get smallest() { return Math.min(this.wide, this.high); }

  center(cell) {
    const { left, top, width, height } = this.box(cell);
    return [left + width / 2, top + height / 2];
  }

  /** Pixels of a line between cells that lie [after, before] the border. */
  lines(margin) {
    const wide = Math.min(margin, Math.floor(this.smallest / 4));
    return [wide - Math.floor(wide / 2), Math.floor(wide / 2)];
  }
}

class Rectangles extends Cells {
  #split;
  #firsts; // of each place of the grid, its first cell
  #places; // of each cell, its place
  #lines;

  constructor(map, size, margin) {
    super(map, size);
    this.#split = map.split ?? null;
    this.#lines = this.lines(margin);
    if (!this.#split) return;
    this.#firsts = new Int32Array(this.#split.length);
    this.#places = new Int32Array(this.tiles.length);
    let cell = 0;
    this.#split.forEach((isSplit, place) => {
      const next = cell + (isSplit ? 4 : 1);
      this.#firsts[place] = cell;
      this.#places.fill(place, cell, next);
      cell = next;
    });
  }

  get smallest() { return super.smallest / (this.#split ? 2 : 1); }

  /** Whether an outline is less than its box cut by straight lines. */
  get clipped() { return false; }

  /** The first cell of the middle row. */
  get middle() { return this.#first(Math.floor(this.rows / 2) * this.columns); }

  box(cell) {
    const place = this.#place(cell);
    const [left, top] = [(place % this.columns) * this.wide, Math.floor(place / this.columns) * this.high];
    if (!this.#isSplit(place)) return { left, top, width: this.wide, height: this.high };
    const part = cell - this.#first(place);
    const [width, height] = [this.wide / 2, this.high / 2];
    return { left: left + (part % 2) * width, top: top + Math.floor(part / 2) * height, width, height };
  }

  /** The corners of what is seen of a cell; without lines, what is seen below them too. */
  outline(cell, { lines = true } = {}) {
    const { left, top, width, height } = this.box(cell);
    const [after, before] = lines ? this.#lines : [0, 0];
    const [right, bottom] = [left + width, top + height];
    const [west, north] = [left + (left > 0 ? after : 0), top + (top > 0 ? after : 0)];
    const east = right < this.size.width ? right - before : this.size.width;
    const south = bottom < this.size.height ? bottom - before : this.size.height;
    return [[west, north], [east, north], [east, south], [west, south]];
  }

  /** The cell at a point, or the nearest one. */
  at(x, y) {
    const [row, column] = [within(Math.floor(y / this.high), this.rows), within(Math.floor(x / this.wide), this.columns)];
    const place = row * this.columns + column;
    if (!this.#isSplit(place)) return this.#first(place);
    const lower = y >= (row + 0.5) * this.high ? 2 : 0;
    return this.#first(place) + lower + (x >= (column + 0.5) * this.wide ? 1 : 0);
  }

  /** The neighbour, [rows, columns] away; at the edge the cell itself. */
  step(cell, [rows, columns]) {
    const { left, top, width, height } = this.box(cell);
    const nudge = this.smallest / 4; // of two small neighbours, the upper or left one
    const x = left + (columns ? width / 2 + columns * (width / 2 + nudge) : Math.min(width / 2, nudge));
    const y = top + (rows ? height / 2 + rows * (height / 2 + nudge) : Math.min(height / 2, nudge));
    return this.at(x, y);
  }

  /** Row and column, counted from 1; where some cells are split, in small ones. */
  place(cell) {
    const { left, top } = this.box(cell);
    const parts = this.#split ? 2 : 1;
    return { row: Math.round((top * parts) / this.high) + 1, column: Math.round((left * parts) / this.wide) + 1 };
  }

  /** The cells in a part of the picture. */
  *visible(left, top, right, bottom) {
    const [firstRow, lastRow] = range(top, bottom, this.high, this.rows);
    const [firstColumn, lastColumn] = range(left, right, this.wide, this.columns);
    for (let row = firstRow; row < lastRow; row += 1) {
      for (let column = firstColumn; column < lastColumn; column += 1) {
        const place = row * this.columns + column;
        const first = this.#first(place);
        for (let part = 0; part < (this.#isSplit(place) ? 4 : 1); part += 1) yield first + part;
      }
    }
  }

  #isSplit(place) { return Boolean(this.#split?.[place]); }
  #first(place) { return this.#split ? this.#firsts[place] : place; }
  #place(cell) { return this.#split ? this.#places[cell] : cell; }
}

/** They stand on a tip; odd rows begin half a cell further to the right. */
class Hexagons extends Cells {
  #left;
  #top;
  #rowHeight;
  #slope; // how far the slanted sides reach down
  #lines;
  #margin;

  constructor(map, size, margin) {
    super(map, size);
    [this.#left, this.#top, this.#rowHeight, this.#slope] = [map.left, map.top, map.row_height, this.high - map.row_height];
    this.#lines = this.lines(margin);
    this.#margin = this.#lines[0] + this.#lines[1];
  }

  get middle() { return Math.floor(this.rows / 2) * this.columns; }

  get clipped() { return true; }

  box(cell) {
    const row = Math.floor(cell / this.columns);
    return { left: this.#rowLeft(row) + (cell % this.columns) * this.wide, top: this.#top + row * this.#rowHeight, width: this.wide, height: this.high };
  }

  outline(cell, { lines = true } = {}) {
    const { left, top, width, height } = this.box(cell);
    const row = Math.floor(cell / this.columns);
    const [after, before] = lines ? this.#lines : [0, 0];
    const [west, east, middle] = [left + after, left + width - before, left + width / 2];
    const steepness = this.#slope / (width / 2);
    const inset = lines ? (this.#margin / 2) * Math.hypot(1, steepness) : 0;
    const depth = (x) => Math.abs(x - middle) * steepness + inset;
    const upper = row === 0 ? [[west, top], [east, top]] : [[west, top + depth(west)], [middle, top + inset], [east, top + depth(east)]];
    const bottom = top + height;
    const lower = row === this.rows - 1 ? [[east, bottom], [west, bottom]] : [[east, bottom - depth(east)], [middle, bottom - inset], [west, bottom - depth(west)]];
    return [...upper, ...lower];
  }

  at(x, y) {
    const row = within(Math.floor((y - this.#top) / this.#rowHeight), this.rows);
    const cell = this.#inRow(row, x);
    const { left, top, width } = this.box(cell);
    const below = (y - top) / this.#slope >= Math.abs(x - left - width / 2) / (width / 2);
    return below || row === 0 ? cell : this.#inRow(row - 1, x);
  }

  step(cell, [rows, columns]) {
    const [row, column] = [Math.floor(cell / this.columns) + rows, (cell % this.columns) + columns];
    return within(row, this.rows) * this.columns + within(column, this.columns);
  }

  place(cell) { return { row: Math.floor(cell / this.columns) + 1, column: (cell % this.columns) + 1 }; }

  *visible(left, top, right, bottom) {
    const [firstRow, lastRow] = range(top - this.#top - this.#slope, bottom - this.#top, this.#rowHeight, this.rows);
    for (let row = firstRow; row < lastRow; row += 1) {
      const start = this.#rowLeft(row);
      const [first, last] = range(left - start, right - start, this.wide, this.columns);
      for (let column = first; column < last; column += 1) yield row * this.columns + column;
    }
  }

  #rowLeft(row) { return this.#left + (row % 2) * (this.wide / 2); }
  #inRow(row, x) { return row * this.columns + within(Math.floor((x - this.#rowLeft(row)) / this.wide), this.columns); }
}

/** A number from 0 to count - 1, the nearest one. */
const within = (number, count) => Math.min(count - 1, Math.max(0, number));

/** [first, last + 1] of the cells of that side between two places. */
const range = (from, to, side, count) => [Math.max(0, Math.floor(from / side)), Math.min(count, Math.ceil(to / side))];

/** cell -> which part of its photo it shows. Older maps say it of each photo, not of each cell. */
function cropsOf({ tiles, crops, cell_crops: cropOfCell, centerings }) {
  const named = ([left, top, size = 1]) => ({ key: `${left} ${top} ${size}`, left, top, size });
  const all = (crops ?? centerings ?? []).map((each) => named(each ?? [0.5, 0.5]));
  const middle = named([0.5, 0.5]);
  return (cell) => all[crops ? cropOfCell[cell] : tiles[cell]] ?? middle;
}
