// <shoal-curves src="frames/iris-1">: the validation curves of all networks of a run, as they come.
// Three layers: bands and axes below, then all lines, to which new pieces are added while the axes stand still, and on top the
// best, the brushed and the one under the pointer. New axes: the old lines are stretched, and drawn anew in slices of time.

import { around, readable, roundUp, scale, type Scale } from "./axes";
import { Curves, Feed, NONE, STATUS, type Segment, type Taken } from "./frames";
import { addStyle, type Box, type Colours, colours, drawAxes, element, FONT, groupColour, Layer, tell, watchLooks } from "./surface";

const SLICE = 6; // milliseconds of drawing anew in one frame
const MOST_BRUSHED = 200; // lines on top
const NEAR = 14; // pixels

interface Axes { x: Scale; y: Scale; box: Box }

export class ShoalCurves extends HTMLElement {
  static readonly observedAttributes = ["src", "brushed", "chosen"];
  /** What was drawn, for measurements: pieces drawn since the beginning, and the milliseconds that it took. */
  readonly drawn = { frames: 0, milliseconds: 0, redrawn: 0 };
  private curves = new Curves();
  private feed: Feed | null = null;
  private box!: HTMLDivElement;
  private under!: Layer;
  private lines!: Layer;
  private back!: Layer;
  private over!: Layer;
  private strip!: Layer;
  private line!: HTMLParagraphElement;
  private said!: HTMLElement;
  private tip!: HTMLDivElement;
  private table!: HTMLTableSectionElement;
  private placesLine!: HTMLDivElement;
  private placesText!: HTMLSpanElement;
  private axes: Axes | null = null;
  private palette!: Colours;
  private waiting: Segment[] = [];
  private reset = true;
  private more = false;
  private redrawing = -1;
  private asked = 0;
  private letGo = 0; // networks that are drawn grey
  private told = { line: 0, table: 0, state: "" };
  private brushed = new Set<number>();
  private chosen = -1; // row
  private near = -1; // row under the pointer
  private drag: { x: number; y: number; toX: number; toY: number } | null = null;
  private unwatch: () => void = () => undefined;
  private wait = 0;

  connectedCallback(): void {
    addStyle();
    if (!this.box) this.build();
    this.unwatch = watchLooks(this.box, () => { this.axes = null; this.soon(); });
    this.open();
  }

  disconnectedCallback(): void {
    this.unwatch();
    this.feed?.close();
    this.feed = null;
    cancelAnimationFrame(this.asked);
    clearTimeout(this.wait);
    this.asked = 0;
  }

  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (before === value || !this.box) return;
    if (name === "src") this.open();
    if (name === "brushed") this.brushed = new Set((value ?? "").split(",").filter(Boolean).map(Number));
    if (name === "chosen") this.chosen = value ? this.curves.rowOf(Number(value)) : -1;
    this.soon();
  }

  private open(): void {
    this.feed?.close();
    const src = this.getAttribute("src");
    if (!src) return;
    const url = new URL(src, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    this.curves = new Curves();
    this.reset = true;
    this.axes = null;
    this.feed = new Feed(url.href, this.curves, (taken) => this.took(taken), (why) => { this.line.textContent = why; });
  }

  private build(): void {
    this.line = element("p", "sc-line");
    this.said = element("div", "sc-alone", "", { role: "status", "aria-live": "polite" });
    this.box = element("div", "sc-box", "", {
      tabindex: "0", role: "application", "aria-roledescription": "drawing of curves",
      "aria-label": "Validation curves. Arrow keys go from network to network, from the best on; Enter chooses one, Escape lets go.",
    });
    [this.under, this.lines, this.back, this.over] = [0, 1, 2, 3].map(() => new Layer(this.box));
    for (const layer of [this.lines, this.back]) layer.canvas.classList.add("lines");
    this.back.canvas.style.visibility = "hidden";
    this.tip = element("div", "sc-tip", "", { hidden: "" });
    this.box.append(this.tip);
    this.placesLine = element("div", "sc-places", "", { hidden: "" });
    const strip = element("div", "strip");
    this.strip = new Layer(strip);
    this.placesText = element("span", "");
    this.placesLine.append(this.placesText, strip);
    const details = element("details", "sc-more");
    details.append(element("summary", "", "The best networks as a table"));
    const table = element("table", "");
    const head = element("tr", "");
    for (const text of ["network", "lowest loss", "epochs", "status"]) head.append(element("th", "", text, { scope: "col" }));
    const thead = element("thead", "");
    thead.append(head);
    this.table = element("tbody", "");
    table.append(thead, this.table);
    details.append(table);
    details.addEventListener("toggle", () => { this.told.table = 0; this.soon(); });
    this.append(this.line, this.box, this.placesLine, details, this.said);
    this.listen();
    this.brushed = new Set((this.getAttribute("brushed") ?? "").split(",").filter(Boolean).map(Number));
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
      this.near = this.nearest(x, y);
      if (event.pointerType === "mouse") {
        this.drag = { x, y, toX: x, toY: y };
        this.box.setPointerCapture(event.pointerId);
      }
    });
    this.box.addEventListener("pointerup", (event) => {
      const [x, y] = place(event);
      const drag = this.drag;
      this.drag = null;
      if (drag && Math.hypot(x - drag.x, y - drag.y) > 6) this.brush(drag.x, drag.y, x, y);
      else this.choose(this.nearest(x, y));
    });
    this.box.addEventListener("pointercancel", () => { this.drag = null; });
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    const order = this.order();
    const at = this.chosen < 0 ? -1 : order.indexOf(this.chosen);
    const to: Record<string, number> = {
      ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: Math.max(0, at - 1), ArrowLeft: Math.max(0, at - 1), Home: 0, End: order.length - 1,
      PageDown: at + 10, PageUp: Math.max(0, at - 10),
    };
    if (event.key in to) {
      this.chosen = order[Math.min(order.length - 1, to[event.key])] ?? -1;
      if (this.chosen >= 0) this.said.textContent = this.name(this.chosen);
    } else if (event.key === "Enter" || event.key === " ") this.choose(this.chosen);
    else if (event.key === "Escape") this.choose(-1);
    else return;
    event.preventDefault();
    this.soon();
  }

  /** Rows, the best first. */
  private order(): number[] {
    const { bests } = this.curves;
    return Array.from(bests.keys()).filter((row) => Number.isFinite(bests[row])).sort((a, b) => bests[a] - bests[b] || a - b);
  }

  private choose(row: number): void {
    this.chosen = row;
    if (row < 0 && this.brushed.size) { this.brushed = new Set(); tell(this, "brush", { networks: [] }); }
    tell(this, "choose", { network: row < 0 ? null : this.curves.ids[row] });
    this.soon();
  }

  private brush(x0: number, y0: number, x1: number, y1: number): void {
    if (!this.axes) return;
    const { box, x, y } = this.axes;
    const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)].map((at) => x.value((at - box.left) / (box.right - box.left)));
    const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)].map((at) => y.value((box.bottom - at) / (box.bottom - box.top)));
    const { stride } = this.curves.numbers;
    const [from, to] = [Math.max(0, Math.ceil(left / stride) - 1), Math.floor(right / stride) - 1];
    const found: number[] = [];
    for (let row = 0; row < this.curves.numbers.rows; row += 1) {
      for (let point = from; point <= to && point < this.curves.lengths[row]; point += 1) {
        const loss = this.curves.loss(row, point);
        if (loss >= bottom && loss <= top) { found.push(this.curves.ids[row]); break; }
      }
    }
    this.brushed = new Set(found);
    tell(this, "brush", { networks: found });
    this.said.textContent = `${found.length} networks are brushed`;
    this.soon();
  }

  private nearest(px: number, py: number): number {
    if (!this.axes) return -1;
    const { box, x, y } = this.axes;
    const epoch = x.value((px - box.left) / (box.right - box.left));
    const { stride, rows } = this.curves.numbers;
    const point = Math.round(epoch / stride) - 1;
    let [best, least] = [-1, NEAR];
    for (let row = 0; row < rows; row += 1) {
      const last = this.curves.lengths[row] - 1;
      if (last < 0 || point < 0 || point > last + 3) continue;
      const loss = this.curves.loss(row, Math.min(point, last));
      const distance = Math.abs(box.bottom - y.at(loss) * (box.bottom - box.top) - py) - (this.brushed.has(this.curves.ids[row]) ? 4 : 0);
      if (distance < least) [best, least] = [row, distance];
    }
    return best;
  }

  private name(row: number): string {
    const c = this.curves;
    const status = STATUS[c.statuses[row]] ?? "in training";
    return `network ${c.ids[row]}: lowest loss ${readable(c.bests[row])}, ${c.epochs[row]} epochs, ${status}`;
  }

  private took(taken: Taken): void {
    if (taken.reset) { this.waiting = []; this.reset = true; this.chosen = -1; this.near = -1; this.axes = null; }
    for (const segment of taken.segments) this.waiting.push(segment);
    this.more = taken.more;
    const gone = this.curves.rungs.reduce((sum, [, count]) => sum + count, 0);
    if (gone !== this.letGo && this.axes) this.startRedraw();
    this.letGo = gone;
    if (taken.reset && this.hasAttribute("chosen")) this.chosen = this.curves.rowOf(Number(this.getAttribute("chosen")));
    this.soon(true);
  }

  private soon(fresh = false): void {
    if (!this.isConnected) return;
    if (fresh) this.askAgain();
    if (!this.asked) this.asked = requestAnimationFrame(() => { this.asked = 0; this.draw(); });
  }

  /** Ask for the next frame: at once where there is more; where motion is not wanted, twice a second. */
  private askAgain(): void {
    clearTimeout(this.wait);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches && !this.more;
    this.wait = window.setTimeout(() => this.feed?.next(), calm ? 500 : document.hidden ? 1000 : 0);
  }

  private draw(): void {
    const began = performance.now();
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (!width || !height) return;
    this.palette = colours(this);
    const resized = [this.under, this.lines, this.back, this.over].map((layer) => layer.resize(width, height)).some(Boolean);
    const axes = this.wanted(width, height);
    if (axes) {
      const same = this.axes && !resized && sameAxes(this.axes, axes);
      if (!same) this.redraw(axes, resized || this.reset);
      else if (this.waiting.length) this.addPieces(this.waiting, this.lines);
      if (same && this.redrawing >= 0 && this.waiting.length) this.addPieces(this.waiting.filter((s) => s.row < this.redrawing), this.back);
      if (this.waiting.length) this.drawn.frames += 1;
      this.waiting = [];
      this.reset = false;
      this.slice(began);
      this.drawUnder(axes);
      this.drawOver(axes);
    } else for (const layer of [this.under, this.lines, this.over]) layer.clear();
    this.write(began);
    this.drawn.milliseconds += performance.now() - began;
    if (this.redrawing >= 0) this.soon();
  }

  /** The axes that what is there needs; null before there is anything. */
  private wanted(width: number, height: number): Axes | null {
    const c = this.curves;
    if (!c.numbers.rows || !Number.isFinite(c.bestLoss)) return null;
    const upper = c.band(4);
    let high = upper.length ? upper[0] : Number.NaN;
    for (let i = 1; i < Math.min(upper.length, 4); i += 1) if (upper[i] > high) high = upper[i];
    if (!(high > c.bestLoss)) high = c.bestLoss + Math.max(Math.abs(c.bestLoss), 1e-6) * 0.2;
    const log = c.bestLoss > 0 && high / c.bestLoss > 6;
    const [low, top] = around(c.bestLoss, high, log);
    const last = Math.max(2, c.words.state === "finished" ? c.numbers.reached : roundUp(c.numbers.reached));
    const box = { left: 52, top: 24, right: width - 12, bottom: height - 42 };
    return { x: scale(1, last), y: scale(low, top, log), box };
  }

  private redraw(axes: Axes, fresh: boolean): void {
    const before = this.axes;
    this.axes = axes;
    if (before && !fresh) this.stretch(before, axes);
    else this.lines.clear();
    this.startRedraw();
  }

  private startRedraw(): void {
    this.back.clear();
    this.redrawing = 0;
    this.drawn.redrawn += 1;
  }

  /** Show the lines of the old axes at their new places until they are drawn anew. */
  private stretch(before: Axes, after: Axes): void {
    const { box } = after;
    const [w, h] = [box.right - box.left, box.bottom - box.top];
    const x0 = box.left + after.x.at(before.x.low) * w;
    const x1 = box.left + after.x.at(before.x.high) * w;
    if (before.y.log !== after.y.log) { this.lines.clear(); return; }
    const y0 = box.bottom - after.y.at(before.y.low) * h;
    const y1 = box.bottom - after.y.at(before.y.high) * h;
    const ratio = this.lines.canvas.width / this.lines.width;
    const old = before.box;
    this.back.clear();
    this.back.context.drawImage(this.lines.canvas, old.left * ratio, old.top * ratio, (old.right - old.left) * ratio,
      (old.bottom - old.top) * ratio, x0, y1, x1 - x0, y0 - y1);
    this.swap();
  }

  private swap(): void {
    [this.lines, this.back] = [this.back, this.lines];
    this.lines.canvas.style.visibility = "visible";
    this.back.canvas.style.visibility = "hidden";
  }

  /** Draw some of the lines anew. */
  private slice(began: number): void {
    const rows = this.curves.numbers.rows;
    while (this.redrawing >= 0 && this.redrawing < rows && performance.now() - began < SLICE) {
      const some: Segment[] = [];
      for (const end = Math.min(rows, this.redrawing + 40); this.redrawing < end; this.redrawing += 1) {
        some.push({ row: this.redrawing, first: 0, count: this.curves.lengths[this.redrawing] });
      }
      this.addPieces(some, this.back);
    }
    if (this.redrawing >= rows) {
      this.redrawing = -1;
      this.swap();
    }
  }

  private clipped(layer: Layer, box: Box): CanvasRenderingContext2D {
    const { context } = layer;
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.right - box.left + 1, box.bottom - box.top);
    context.clip();
    return context;
  }

  private addPieces(pieces: Segment[], layer: Layer): void {
    if (!this.axes) return;
    const context = this.clipped(layer, this.axes.box);
    context.globalAlpha = Math.min(0.7, 3 / Math.sqrt(this.curves.numbers.rows));
    context.lineWidth = 1;
    for (const [wanted, colour] of [[false, this.palette.blue], [true, this.palette.muted]] as const) {
      context.strokeStyle = colour;
      context.beginPath();
      for (const piece of pieces) if ((this.curves.statuses[piece.row] === 4) === wanted) this.trace(context, piece);
      context.stroke();
    }
    context.restore();
  }

  private trace(context: CanvasRenderingContext2D, { row, first, count }: Segment): void {
    const { box, x, y } = this.axes as Axes;
    const curve = this.curves.curve(row);
    const { stride } = this.curves.numbers;
    const [xStep, xAt] = [(stride * (box.right - box.left)) / (x.high - x.low), box.left - (box.right - box.left) / (x.high - x.low) * x.low];
    const height = box.bottom - box.top;
    const [yFrom, ySpan] = y.log ? [Math.log(y.low), Math.log(y.high) - Math.log(y.low)] : [y.low, y.high - y.low];
    const every = Math.max(1, Math.floor(0.8 / xStep));
    let pen = false;
    const end = Math.min(curve.length, first + count);
    for (let i = Math.max(0, first - 1); i < end; i += i + every < end || i === end - 1 ? every : end - 1 - i) {
      const loss = curve[i];
      if (!Number.isFinite(loss) || (y.log && loss <= 0)) { pen = false; continue; }
      const px = xAt + (i + 1) * xStep;
      const py = box.bottom - (((y.log ? Math.log(loss) : loss) - yFrom) / ySpan) * height;
      if (pen) context.lineTo(px, py);
      else { context.moveTo(first === 0 && count === 1 ? px - 1 : px, py); if (count === 1 && first === 0) context.lineTo(px, py); }
      pen = true;
    }
  }

  private drawUnder({ box, x, y }: Axes): void {
    const layer = this.under;
    layer.clear();
    const { stride, rows } = this.curves.numbers;
    const metric = this.curves.words.metric || "validation loss";
    drawAxes(layer, box, x, y, { x: { label: "epoch", whole: true }, y: { label: `${metric}${y.log ? ", logarithmic" : ""}` } }, this.palette);
    const at = (point: number, loss: number): [number, number] => [
      box.left + x.at((point + 1) * stride) * (box.right - box.left), box.bottom - y.at(Math.max(loss, y.log ? y.low / 10 : -Infinity)) * (box.bottom - box.top),
    ];
    const context = this.clipped(layer, box);
    if (rows > 4) {
      for (const [below, above, alpha] of [[0, 4, 0.1], [1, 3, 0.16]]) {
        const [low, high] = [this.curves.band(below), this.curves.band(above)];
        context.globalAlpha = alpha;
        context.fillStyle = this.palette.blue;
        context.beginPath();
        for (let i = 0; i < low.length; i += 1) if (Number.isFinite(high[i])) context.lineTo(...at(i, high[i]));
        for (let i = low.length - 1; i >= 0; i -= 1) if (Number.isFinite(low[i])) context.lineTo(...at(i, low[i]));
        context.fill();
      }
    }
    context.restore();
    this.drawRungs(layer, box, x);
  }

  /** A line where the search let networks go, with how many went. */
  private drawRungs(layer: Layer, box: Box, x: Scale): void {
    const { context } = layer;
    context.font = FONT;
    context.textAlign = "right";
    context.textBaseline = "top";
    let free = box.right + 99;
    for (const [epoch, gone] of [...this.curves.rungs].reverse()) {
      const at = Math.round(box.left + x.at(epoch) * (box.right - box.left)) + 0.5;
      context.strokeStyle = this.palette.vermilion;
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(at, box.top);
      context.lineTo(at, box.bottom);
      context.stroke();
      context.setLineDash([]);
      const text = `−${gone}`;
      if (at + 2 > free) continue;
      context.fillStyle = this.palette.vermilion;
      context.textAlign = "left";
      context.fillText(text, at + 4, box.top + 2);
      free = at - context.measureText(text).width;
    }
  }

  private drawOver({ box, x, y }: Axes): void {
    const layer = this.over;
    layer.clear();
    this.box.classList.toggle("faint", this.brushed.size > 0);
    const context = this.clipped(layer, box);
    const whole = (row: number, colour: string, width: number): void => {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      this.trace(context, { row, first: 0, count: this.curves.lengths[row] });
      context.stroke();
    };
    let number = 0;
    for (const network of this.brushed) {
      const row = this.curves.rowOf(network);
      if (row >= 0 && number < MOST_BRUSHED) whole(row, groupColour(this.palette, this.brushed.size > 8 ? 0 : number), 1.25);
      number += 1;
    }
    const { bestRow, bestEpoch } = this.curves.numbers;
    if (bestRow !== NONE) whole(bestRow, this.palette.vermilion, 1.75);
    const shown = this.near >= 0 ? this.near : this.chosen;
    if (this.chosen >= 0) whole(this.chosen, this.palette.ink, 2.25);
    if (this.near >= 0) whole(this.near, this.palette.ink, 1.75);
    context.restore();
    const dot = (epoch: number, loss: number, colour: string): [number, number] => {
      const [px, py] = [box.left + x.at(epoch) * (box.right - box.left), box.bottom - y.at(loss) * (box.bottom - box.top)];
      layer.context.fillStyle = colour;
      layer.context.beginPath();
      layer.context.arc(px, py, 4, 0, 2 * Math.PI);
      layer.context.fill();
      return [px, py];
    };
    if (bestRow !== NONE) dot(bestEpoch, this.curves.bestLoss, this.palette.vermilion);
    if (shown >= 0 && this.curves.lengths[shown]) {
      const last = this.curves.lengths[shown];
      const [px, py] = dot(last * this.curves.numbers.stride, this.curves.loss(shown, last - 1), this.palette.ink);
      this.showTip(this.name(shown), px, py);
    } else this.tip.hidden = true;
    if (this.drag) {
      const { context: top } = layer;
      top.strokeStyle = this.palette.blue;
      top.setLineDash([4, 3]);
      top.strokeRect(this.drag.x + 0.5, this.drag.y + 0.5, this.drag.toX - this.drag.x, this.drag.toY - this.drag.y);
      top.setLineDash([]);
    }
  }

  private showTip(text: string, x: number, y: number): void {
    this.tip.hidden = false;
    if (this.tip.textContent !== text) this.tip.textContent = text;
    const left = Math.max(0, Math.min(this.box.clientWidth - this.tip.offsetWidth, x - this.tip.offsetWidth / 2));
    this.tip.style.transform = `translate(${left}px, ${Math.max(0, y - 34)}px)`;
    this.tip.style.left = "0";
    this.tip.style.top = "0";
  }

  /** What is said in words: a line some times a second, a table once a second. */
  private write(now: number): void {
    const { words, numbers, bestLoss, ids } = this.curves;
    if (words.state !== this.told.state) {
      this.told = { line: 0, table: 0, state: words.state };
      this.said.textContent = { training: "Training.", finished: "Finished.", stopped: "Stopped.", gone: words.message }[words.state] ?? "";
      tell(this, "state", { state: words.state });
    }
    if (now - this.told.line > 200) {
      this.told.line = now;
      const text = [words.message || words.stage || { waiting: "waiting for the first epoch", stopped: "stopped" }[words.state] || ""];
      if (numbers.total) text.push(`${numbers.trained} of ${numbers.total} networks trained`);
      if (numbers.reached) text.push(`epoch ${numbers.reached}`);
      if (numbers.bestRow !== NONE) text.push(`best ${readable(bestLoss)}: network ${ids[numbers.bestRow]}, epoch ${numbers.bestEpoch}`);
      if (this.curves.secondsLeft > 0.5 && words.state === "training") text.push(`${duration(this.curves.secondsLeft)} left`);
      this.line.textContent = text.filter(Boolean).join(" · ");
      this.drawPlaces();
    }
    if (now - this.told.table > 1000) {
      this.told.table = now;
      if ((this.table.closest("details") as HTMLDetailsElement).open) this.fillTable();
    }
  }

  private fillTable(): void {
    const c = this.curves;
    this.table.replaceChildren(...this.order().slice(0, 10).map((row) => {
      const line = element("tr", "");
      for (const text of [String(c.ids[row]), readable(c.bests[row]), String(c.epochs[row]), STATUS[c.statuses[row]] ?? "in training"]) {
        line.append(element("td", "", text));
      }
      return line;
    }));
  }

  private drawPlaces(): void {
    const { places, numbers, statuses } = this.curves;
    this.placesLine.hidden = !places.length || this.curves.words.state !== "training";
    if (this.placesLine.hidden) return;
    const taken = places.filter((row) => row >= 0).length;
    this.placesText.textContent = `${taken} of ${places.length} places taken, ${numbers.refilled} refilled`;
    const layer = this.strip;
    layer.resize(layer.canvas.clientWidth, layer.canvas.clientHeight);
    layer.clear();
    const cell = layer.width / places.length;
    const gap = cell > 4 ? 1 : 0;
    places.forEach((row, i) => {
      layer.context.fillStyle = row < 0 ? this.palette.rule : statuses[row] === 0 ? this.palette.blue : this.palette.muted;
      layer.context.fillRect(i * cell, 0, Math.max(0.5, cell - gap), layer.height);
    });
  }
}

function sameAxes(a: Axes, b: Axes): boolean {
  return a.x.high === b.x.high && a.y.low === b.y.low && a.y.high === b.y.high && a.y.log === b.y.log;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
