// <shoal-parallel>: hyperparameters of all networks on parallel axes. `data` holds the axes and a row for each network; limits are
// brushed on the axes with the pointer, or typed. Event `brush` tells the networks within all limits, `choose` one of them.

import { around, readable, scale, type Scale, ticks } from "./axes";
import { addStyle, type Colours, colours, element, FONT, Layer, tell, watchLooks } from "./surface";

interface Axis { name: string; label: string; log?: boolean; texts?: string[] }
interface Data { axes: Axis[]; ids: number[]; values: (number | null)[][]; score?: number }
interface Limit { low: number; high: number }

export class ShoalParallel extends HTMLElement {
  static readonly observedAttributes = ["data", "chosen"];
  private content: Data = { axes: [], ids: [], values: [] };
  private box!: HTMLDivElement;
  private under!: Layer;
  private over!: Layer;
  private sideways!: HTMLDivElement;
  private tip!: HTMLDivElement;
  private fields!: HTMLDivElement;
  private said!: HTMLParagraphElement;
  private scales: Scale[] = [];
  private limits = new Map<number, Limit>();
  private drag: { axis: number; from: number; to: number } | null = null;
  private near = -1;
  private asked = 0;
  private telling = 0;
  private palette!: Colours;
  private unwatch: () => void = () => undefined;

  set data(value: Data | string) {
    this.content = (typeof value === "string" ? JSON.parse(value) : value) as Data;
    this.limits.clear();
    this.scales = this.content.axes.map((axis, i) => this.scaleOf(axis, this.content.values.map((row) => row[i])));
    if (this.box) { this.makeFields(); this.soon(); }
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

  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (name === "data" && value && before !== value) this.data = value;
    if (this.box) this.soon();
  }

  private scaleOf(axis: Axis, values: (number | null)[]): Scale {
    if (axis.texts) return scale(-0.5, axis.texts.length - 0.5);
    const finite = values.filter((v): v is number => v !== null && Number.isFinite(v));
    const sorted = finite.sort((a, b) => a - b);
    const [low, high] = [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 1];
    const log = !!axis.log && low > 0;
    return log ? scale(low / 1.1, high * 1.1, true) : scale(...around(low, high > low ? high : low + 1, false));
  }

  private build(): void {
    this.said = element("p", "sc-line", "", { role: "status", "aria-live": "polite" });
    this.box = element("div", "sc-box", "", { role: "img", "aria-label": "Hyperparameters of all networks on parallel axes; limits can be typed below." });
    this.box.style.setProperty("--height", "19rem");
    [this.under, this.over] = [new Layer(this.box), new Layer(this.box)];
    this.tip = element("div", "sc-tip", "", { hidden: "", style: "bottom: 0" });
    this.box.append(this.tip);
    const details = element("details", "sc-more");
    details.append(element("summary", "", "Limits as numbers"));
    this.fields = element("div", "sc-limits");
    details.append(this.fields);
    this.sideways = element("div", "sc-scroll", "", { tabindex: "0", role: "region", "aria-label": "Parallel axes" });
    this.sideways.append(this.box);
    this.append(this.said, this.sideways, details);
    this.makeFields();
    this.listen();
  }

  private makeFields(): void {
    this.box.style.minWidth = `${72 * this.content.axes.length}px`;
    this.fields.replaceChildren(...this.content.axes.map((axis, i) => {
      const set = element("fieldset", "");
      set.append(element("legend", "", axis.label));
      if (axis.texts) {
        const select = element("select", "", "", { "aria-label": axis.label });
        select.append(element("option", "", "any", { value: "" }));
        axis.texts.forEach((text, k) => select.append(element("option", "", text, { value: String(k) })));
        select.addEventListener("change", () => this.limit(i, select.value === "" ? null : { low: Number(select.value) - 0.5, high: Number(select.value) + 0.5 }));
        set.append(select);
        return set;
      }
      const inputs = ["from", "to"].map((word) => element("input", "", "", { type: "number", step: "any", "aria-label": `${axis.label} ${word}` }));
      const changed = (): void => {
        const [low, high] = inputs.map((input) => (input.value === "" ? Number.NaN : Number(input.value)));
        const none = Number.isNaN(low) && Number.isNaN(high);
        this.limit(i, none ? null : { low: Number.isNaN(low) ? -Infinity : low, high: Number.isNaN(high) ? Infinity : high });
      };
      inputs.forEach((input) => input.addEventListener("change", changed));
      set.append(inputs[0], " to ", inputs[1]);
      return set;
    }));
  }

  private limit(axis: number, limit: Limit | null): void {
    if (limit) this.limits.set(axis, limit);
    else this.limits.delete(axis);
    clearTimeout(this.telling);
    this.telling = window.setTimeout(() => {
      const inside = this.limits.size ? this.content.ids.filter((_, row) => this.inside(row)) : [];
      this.said.textContent = this.limits.size ? `${inside.length} of ${this.content.ids.length} networks are within the limits` : "";
      tell(this, "brush", { networks: inside });
    }, 120);
    this.soon();
  }

  private inside(row: number): boolean {
    for (const [axis, { low, high }] of this.limits) {
      const value = this.content.values[row][axis];
      if (value === null || value < low || value > high) return false;
    }
    return true;
  }

  private x(axis: number): number {
    const [left, right] = [46, this.box.clientWidth - 46];
    return this.content.axes.length < 2 ? (left + right) / 2 : left + (axis / (this.content.axes.length - 1)) * (right - left);
  }

  private y(axis: number, value: number): number {
    return this.bottom - this.scales[axis].at(value) * (this.bottom - 40);
  }

  private get bottom(): number { return this.box.clientHeight - 14; }

  private listen(): void {
    const place = (event: PointerEvent): [number, number] => {
      const frame = this.box.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    const axisAt = (x: number): number => this.content.axes.findIndex((_, i) => Math.abs(this.x(i) - x) < 16);
    this.box.addEventListener("pointerdown", (event) => {
      const [x, y] = place(event);
      const axis = axisAt(x);
      if (axis >= 0 && event.pointerType !== "touch") { this.drag = { axis, from: y, to: y }; this.box.setPointerCapture(event.pointerId); event.preventDefault(); }
    });
    this.box.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      this.box.style.cursor = axisAt(x) >= 0 ? "ns-resize" : "default";
      if (this.drag) this.drag.to = y;
      else this.near = this.nearest(x, y);
      this.soon();
    });
    this.box.addEventListener("pointerleave", () => { this.near = -1; this.soon(); });
    this.box.addEventListener("pointerup", (event) => {
      const [x, y] = place(event);
      const drag = this.drag;
      this.drag = null;
      if (!drag) {
        const row = this.nearest(x, y);
        if (row >= 0) tell(this, "choose", { network: this.content.ids[row] });
      } else if (Math.abs(drag.to - drag.from) < 5) this.limit(drag.axis, null);
      else {
        const [a, b] = [drag.from, drag.to].map((at) => this.scales[drag.axis].value((this.bottom - at) / (this.bottom - 40)));
        this.limit(drag.axis, { low: Math.min(a, b), high: Math.max(a, b) });
      }
    });
  }

  private nearest(px: number, py: number): number {
    const axes = this.content.axes.length;
    let left = 0;
    while (left < axes - 2 && this.x(left + 1) < px) left += 1;
    const share = (px - this.x(left)) / (this.x(left + 1) - this.x(left) || 1);
    let [best, least] = [-1, 8];
    this.content.values.forEach((values, row) => {
      const [a, b] = [values[left], values[left + 1]];
      if (a === null || b === null || a === undefined || b === undefined || !this.inside(row)) return;
      const distance = Math.abs(this.y(left, a) + share * (this.y(left + 1, b) - this.y(left, a)) - py);
      if (distance < least) [best, least] = [row, distance];
    });
    return best;
  }

  private soon(): void {
    if (!this.asked && this.isConnected) this.asked = requestAnimationFrame(() => { this.asked = 0; this.draw(); });
  }

  private draw(): void {
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (!width || !height) return;
    this.palette = colours(this);
    for (const layer of [this.under, this.over]) { layer.resize(width, height); layer.clear(); }
    const context = this.under.context;
    const count = this.content.ids.length;
    context.lineWidth = 1;
    for (const wanted of [false, true]) {
      const within = this.limits.size > 0 && wanted;
      context.globalAlpha = wanted ? Math.min(0.8, 4 / Math.sqrt(count)) : Math.min(0.25, 2 / Math.sqrt(count));
      context.strokeStyle = wanted ? this.palette.blue : this.palette.muted;
      context.beginPath();
      for (let row = 0; row < count; row += 1) {
        const inside = this.inside(row);
        if (inside === wanted || (within && inside)) this.path(context, row);
      }
      context.stroke();
    }
    context.globalAlpha = 1;
    this.drawAxes();
    const chosen = this.content.ids.indexOf(Number(this.getAttribute("chosen") ?? Number.NaN));
    const top = this.over.context;
    for (const [row, colour] of [[chosen, this.palette.vermilion], [this.near, this.palette.ink]] as const) {
      if (row < 0) continue;
      top.strokeStyle = colour;
      top.lineWidth = 2;
      top.beginPath();
      this.path(top, row);
      top.stroke();
    }
    const shown = this.near >= 0 ? this.near : chosen;
    this.tip.hidden = shown < 0;
    if (shown >= 0) {
      const { axes, values, ids } = this.content;
      const text = axes.map((axis, i) => (values[shown][i] === null ? "" : `${axis.label} ${this.text(i, values[shown][i] as number)}`));
      this.tip.textContent = `network ${ids[shown]}: ${text.filter(Boolean).join(", ")}`;
    }
  }

  private text(axis: number, value: number): string {
    return this.content.axes[axis].texts?.[Math.round(value)] ?? readable(value);
  }

  private path(context: CanvasRenderingContext2D, row: number): void {
    let pen = false;
    this.content.values[row].forEach((value, axis) => {
      if (value === null || !Number.isFinite(value)) { pen = false; return; }
      const [x, y] = [this.x(axis), this.y(axis, value)];
      if (pen) context.lineTo(x, y);
      else context.moveTo(x, y);
      pen = true;
    });
  }

  private drawAxes(): void {
    const context = this.over.context;
    context.font = FONT;
    this.content.axes.forEach((axis, i) => {
      const x = Math.round(this.x(i)) + 0.5;
      context.strokeStyle = this.palette.muted;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, 40);
      context.lineTo(x, this.bottom);
      context.stroke();
      context.fillStyle = this.palette.ink;
      context.textAlign = "center";
      context.textBaseline = "bottom";
      const room = (this.box.clientWidth - 92) / Math.max(1, this.content.axes.length - 1);
      const lift = room < 95 && i % 2 ? 16 : 0;
      context.fillText(axis.label, x, 32 - lift, Math.max(60, room * (room < 95 ? 1.9 : 0.95)));
      context.fillStyle = this.palette.muted;
      context.textAlign = "left";
      context.textBaseline = "middle";
      const marks = axis.texts ? axis.texts.map((_, k) => k) : ticks(this.scales[i], 5);
      for (const mark of marks) {
        context.lineWidth = 3;
        context.strokeStyle = this.palette.paper;
        const text = this.text(i, mark);
        context.strokeText(text, x + 5, this.y(i, mark), room - 8);
        context.fillText(text, x + 5, this.y(i, mark), room - 8);
      }
      const limit = this.drag?.axis === i ? null : this.limits.get(i);
      const ends = this.drag?.axis === i ? [this.drag.from, this.drag.to] : limit ? [this.y(i, limit.high), this.y(i, limit.low)] : null;
      if (ends) {
        const [a, b] = ends.map((at) => Math.max(40, Math.min(this.bottom, Number.isFinite(at) ? at : at > 0 ? this.bottom : 40)));
        context.globalAlpha = 0.25;
        context.fillStyle = this.palette.blue;
        context.fillRect(x - 7, Math.min(a, b), 14, Math.abs(b - a));
        context.globalAlpha = 1;
        context.strokeStyle = this.palette.blue;
        context.lineWidth = 1;
        context.strokeRect(x - 7, Math.min(a, b), 14, Math.abs(b - a));
      }
    });
  }
}
