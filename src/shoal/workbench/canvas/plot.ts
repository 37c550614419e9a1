// <shoal-plot>: bands, lines, points and a map over two axes, from its property `data`. Event `choose` tells the number of a point
// that is clicked, `brush` those of the points in a rectangle.

import { around, readable, scale, type Scale } from "./axes";
import { addStyle, type Box, type Colours, colours, drawAxes, element, groupColour, Layer, tell, watchLooks } from "./surface";

type Row = (number | null)[];
interface Band { x: Row; low: Row; high: Row; colour?: number; label?: string }
interface Line { x: Row; y: Row; colour?: number; label?: string; dashed?: boolean }
interface Points { x: Row; y: Row; ids?: number[]; groups?: number[]; texts?: string[] }
interface Shades { columns: number; rows: number; groups?: number[]; strength: number[]; outside?: number[]; names?: string[] }
interface Data {
  x: { label: string; low?: number; high?: number }; y: { label: string; low?: number; high?: number };
  bands?: Band[]; lines?: Line[]; points?: Points; map?: Shades; zero?: boolean; label: string; brush?: boolean;
}

const EMPTY: Data = { x: { label: "" }, y: { label: "" }, label: "" };

export class ShoalPlot extends HTMLElement {
  static readonly observedAttributes = ["data"];
  private content: Data = EMPTY;
  private box!: HTMLDivElement;
  private under!: Layer;
  private over!: Layer;
  private tip!: HTMLDivElement;
  private key!: HTMLUListElement;
  private frame: { x: Scale; y: Scale; box: Box } | null = null;
  private drag: { x: number; y: number; toX: number; toY: number } | null = null;
  private near = -1;
  private asked = 0;
  private unwatch: () => void = () => undefined;

  set data(value: Data | string) {
    this.content = (typeof value === "string" ? JSON.parse(value) : value) as Data;
    this.near = -1;
    if (this.box) this.soon();
  }

  get data(): Data { return this.content; }

  connectedCallback(): void {
    addStyle();
    if (!this.box) this.build();
    this.unwatch = watchLooks(this.box, () => this.soon());
    this.soon();
  }

  disconnectedCallback(): void {
    this.unwatch();
    cancelAnimationFrame(this.asked);
    this.asked = 0;
  }

  attributeChangedCallback(_: string, before: string | null, value: string | null): void {
    if (value && before !== value) this.data = value;
  }

  private build(): void {
    this.box = element("div", "sc-box", "", { role: "img" });
    this.box.style.setProperty("--height", "19rem");
    [this.under, this.over] = [new Layer(this.box), new Layer(this.box)];
    this.tip = element("div", "sc-tip", "", { hidden: "" });
    this.box.append(this.tip);
    this.key = element("ul", "sc-key");
    this.append(this.box, this.key);
    this.listen();
  }

  private listen(): void {
    const place = (event: PointerEvent): [number, number] => {
      const frame = this.box.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    this.box.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (this.drag) [this.drag.toX, this.drag.toY] = [x, y];
      else this.near = this.nearest(x, y);
      this.soon();
    });
    this.box.addEventListener("pointerleave", () => { this.near = -1; this.soon(); });
    this.box.addEventListener("pointerdown", (event) => {
      const [x, y] = place(event);
      if (this.content.brush && event.pointerType === "mouse") {
        this.drag = { x, y, toX: x, toY: y };
        this.box.setPointerCapture(event.pointerId);
      }
    });
    this.box.addEventListener("pointerup", (event) => {
      const [x, y] = place(event);
      const drag = this.drag;
      this.drag = null;
      const ids = this.content.points?.ids;
      if (drag && Math.hypot(x - drag.x, y - drag.y) > 6) this.brush(drag.x, drag.y, x, y);
      else if (ids) {
        const point = this.nearest(x, y);
        tell(this, "choose", { id: point < 0 ? null : ids[point] });
      }
      this.soon();
    });
  }

  private pixel(i: number): [number, number] {
    const { x, y, box } = this.frame as NonNullable<typeof this.frame>;
    const points = this.content.points as Points;
    return [
      box.left + x.at(points.x[i] ?? Number.NaN) * (box.right - box.left), box.bottom - y.at(points.y[i] ?? Number.NaN) * (box.bottom - box.top),
    ];
  }

  private nearest(px: number, py: number): number {
    if (!this.frame || !this.content.points) return -1;
    let [best, least] = [-1, 10];
    for (let i = 0; i < this.content.points.x.length; i += 1) {
      const [x, y] = this.pixel(i);
      const distance = Math.hypot(x - px, y - py);
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  private brush(x0: number, y0: number, x1: number, y1: number): void {
    const { points } = this.content;
    if (!points?.ids || !this.frame) return;
    const found = points.ids.filter((_, i) => {
      const [x, y] = this.pixel(i);
      return x >= Math.min(x0, x1) && x <= Math.max(x0, x1) && y >= Math.min(y0, y1) && y <= Math.max(y0, y1);
    });
    tell(this, "brush", { ids: found });
  }

  private soon(): void {
    if (!this.asked && this.isConnected) this.asked = requestAnimationFrame(() => { this.asked = 0; this.draw(); });
  }

  private range(which: "x" | "y"): [number, number] {
    const { bands = [], lines = [], points, [which]: axis } = this.content;
    let [low, high] = [Infinity, -Infinity];
    const see = (values: Row): void => {
      for (const value of values) if (value !== null && Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    };
    for (const band of bands) for (const values of which === "x" ? [band.x] : [band.low, band.high]) see(values);
    for (const line of lines) see(line[which]);
    if (points) see(points[which]);
    if (!(low <= high)) [low, high] = [0, 1];
    if (low === high) [low, high] = [low - 1, high + 1];
    const room = 0.03 * (high - low);
    const [from, to] = which === "x" ? [low - (points ? room : 0), high + (points ? room : 0)] : around(low, high, false);
    return [axis.low ?? from, axis.high ?? to];
  }

  private draw(): void {
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (!width || !height) return;
    const palette = colours(this);
    const box = { left: 56, top: 24, right: width - 12, bottom: height - 42 };
    this.frame = { x: scale(...this.range("x")), y: scale(...this.range("y")), box };
    this.box.setAttribute("aria-label", this.content.label);
    for (const layer of [this.under, this.over]) { layer.resize(width, height); layer.clear(); }
    if (this.content.map) this.drawMap(this.content.map, box, palette);
    drawAxes(this.under, box, this.frame.x, this.frame.y, { x: { label: this.content.x.label }, y: { label: this.content.y.label } }, palette);
    const context = this.under.context;
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    context.clip();
    this.drawBands(context, palette);
    this.drawPoints(context, palette);
    context.restore();
    this.drawOver(palette);
    this.fillKey(palette);
  }

  private drawBands(context: CanvasRenderingContext2D, palette: Colours): void {
    const { x, y, box } = this.frame as NonNullable<typeof this.frame>;
    const at = (u: number | null, v: number | null): [number, number] => [
      box.left + x.at(u ?? Number.NaN) * (box.right - box.left), box.bottom - y.at(v ?? Number.NaN) * (box.bottom - box.top),
    ];
    for (const band of this.content.bands ?? []) {
      context.globalAlpha = 0.2;
      context.fillStyle = groupColour(palette, band.colour ?? 0);
      context.beginPath();
      band.x.forEach((u, i) => context.lineTo(...at(u, band.high[i])));
      for (let i = band.x.length - 1; i >= 0; i -= 1) context.lineTo(...at(band.x[i], band.low[i]));
      context.fill();
      context.globalAlpha = 1;
    }
    for (const line of this.content.lines ?? []) {
      context.strokeStyle = groupColour(palette, line.colour ?? 0);
      context.lineWidth = 1.75;
      context.setLineDash(line.dashed ? [5, 4] : []);
      context.beginPath();
      line.x.forEach((u, i) => context.lineTo(...at(u, line.y[i])));
      context.stroke();
    }
    context.setLineDash([]);
    if (this.content.zero) {
      context.strokeStyle = palette.muted;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(...at(x.low, 0));
      context.lineTo(...at(x.high, 0));
      context.stroke();
    }
  }

  private drawPoints(context: CanvasRenderingContext2D, palette: Colours): void {
    const { points, map } = this.content;
    if (!points) return;
    context.lineWidth = 1;
    context.globalAlpha = Math.min(0.9, Math.max(0.25, 20 / Math.sqrt(points.x.length)));
    for (let i = 0; i < points.x.length; i += 1) {
      const [x, y] = this.pixel(i);
      const colour = points.groups ? groupColour(palette, points.groups[i]) : map ? palette.ink : palette.blue;
      context.beginPath();
      context.arc(x, y, 3, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      if (map) { context.strokeStyle = palette.paper; context.stroke(); }
    }
    context.globalAlpha = 1;
  }

  /** Cells of a map: the colour of their group, the stronger the surer; those outside the region of training are hatched. */
  private drawMap(map: Shades, box: Box, palette: Colours): void {
    const small = document.createElement("canvas");
    [small.width, small.height] = [map.columns, map.rows];
    const context = small.getContext("2d") as CanvasRenderingContext2D;
    const probe = this.over.context;
    const parts = (colour: string): number[] => {
      probe.fillStyle = colour;
      const hex = String(probe.fillStyle);
      return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
    };
    const groups = Array.from({ length: 8 }, (_, i) => parts(groupColour(palette, i)));
    const image = context.createImageData(map.columns, map.rows);
    for (let row = 0; row < map.rows; row += 1) {
      for (let column = 0; column < map.columns; column += 1) {
        const cell = row * map.columns + column;
        const at = 4 * ((map.rows - 1 - row) * map.columns + column);
        const [r, g, b] = groups[(map.groups?.[cell] ?? 0) % 8];
        image.data.set([r, g, b, Math.round(200 * map.strength[cell])], at);
      }
    }
    context.putImageData(image, 0, 0);
    this.under.context.drawImage(small, box.left, box.top, box.right - box.left, box.bottom - box.top);
    if (map.outside) this.hatch(map, map.outside, box, palette);
  }

  private hatch(map: Shades, outside: number[], box: Box, palette: Colours): void {
    const { context } = this.under;
    const [w, h] = [(box.right - box.left) / map.columns, (box.bottom - box.top) / map.rows];
    context.save();
    context.beginPath();
    outside.forEach((is, cell) => {
      const [row, column] = [Math.floor(cell / map.columns), cell % map.columns];
      if (is) context.rect(box.left + column * w, box.bottom - (row + 1) * h, w + 0.5, h + 0.5);
    });
    context.clip();
    context.strokeStyle = palette.muted;
    context.globalAlpha = 0.7;
    context.lineWidth = 1;
    context.beginPath();
    for (let at = box.left - (box.bottom - box.top); at < box.right; at += 9) {
      context.moveTo(at, box.bottom);
      context.lineTo(at + box.bottom - box.top, box.top);
    }
    context.stroke();
    context.restore();
  }

  private drawOver(palette: Colours): void {
    const { context } = this.over;
    this.tip.hidden = this.near < 0 || !this.content.points;
    if (!this.tip.hidden) {
      const points = this.content.points as Points;
      const [x, y] = this.pixel(this.near);
      context.strokeStyle = palette.ink;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.stroke();
      this.tip.textContent = points.texts?.[this.near] ?? `${readable(points.x[this.near] ?? Number.NaN)}, ${readable(points.y[this.near] ?? Number.NaN)}`;
      const left = Math.max(0, Math.min(this.box.clientWidth - this.tip.offsetWidth, x - this.tip.offsetWidth / 2));
      this.tip.style.cssText = `left: 0; top: 0; transform: translate(${left}px, ${Math.max(0, y - 32)}px)`;
    }
    if (this.drag) {
      context.strokeStyle = palette.blue;
      context.lineWidth = 1;
      context.setLineDash([4, 3]);
      context.strokeRect(this.drag.x + 0.5, this.drag.y + 0.5, this.drag.toX - this.drag.x, this.drag.toY - this.drag.y);
      context.setLineDash([]);
    }
  }

  private fillKey(palette: Colours): void {
    const named = [...(this.content.lines ?? []), ...(this.content.bands ?? [])].filter((part) => part.label);
    const entries = [
      ...named.map((part) => [part.label as string, groupColour(palette, part.colour ?? 0)]),
      ...(this.content.map?.names ?? []).map((name, i) => [name, groupColour(palette, i)]),
    ];
    const text = JSON.stringify(entries);
    if (this.key.dataset.entries === text) return;
    this.key.dataset.entries = text;
    this.key.replaceChildren(...entries.map(([name, colour]) => {
      const item = element("li", "", "");
      const swatch = element("span", "");
      swatch.style.background = colour;
      item.append(swatch, name);
      return item;
    }));
  }
}
