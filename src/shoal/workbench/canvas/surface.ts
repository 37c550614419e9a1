// What all drawings share: layers of canvas as large as their element, colours of the page, a plot with its axes.

import { readable, type Scale, ticks } from "./axes";

export interface Colours {
  paper: string; ink: string; muted: string; rule: string; tint: string; blue: string; vermilion: string; green: string;
}

const NAMES = ["paper", "ink", "muted", "rule", "tint", "blue", "vermilion", "green"] as const;
const OTHERWISE: Colours = {
  paper: "#ffffff", ink: "#1b1f24", muted: "#5d6670", rule: "#dde1e6", tint: "#f4f6f8", blue: "#0072b2", vermilion: "#c65500",
  green: "#00785a",
};

export function colours(element: Element): Colours {
  const style = getComputedStyle(element);
  const found = { ...OTHERWISE };
  for (const name of NAMES) found[name] = style.getPropertyValue(`--${name}`).trim() || OTHERWISE[name];
  return found;
}

/** Colours of classes and groups, told apart by those who see few, too; the first three are those of the page. */
export function groupColour(palette: Colours, group: number): string {
  const more = ["#cc79a7", "#b8860b", "#56b4e9", "#7a5195", "#8a8f98"];
  return [palette.blue, palette.vermilion, palette.green, ...more][group % 8];
}

export const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif";

export interface Box { left: number; top: number; right: number; bottom: number }

/** A canvas that lies over others in a box; what is drawn on it is in CSS pixels. */
export class Layer {
  readonly canvas = document.createElement("canvas");
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;
  private ratio = 0;

  constructor(parent: Element) {
    this.canvas.setAttribute("aria-hidden", "true");
    this.context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    parent.append(this.canvas);
  }

  /** Take a size, which clears the layer; whether it is another one. */
  resize(width: number, height: number): boolean {
    const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    [this.width, this.height, this.ratio] = [width, height, ratio];
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return true;
  }

  clear(): void {
    this.context.clearRect(0, 0, this.width, this.height);
  }
}

/** Call back when anything may look different: size, theme, contrast, another screen. */
export function watchLooks(element: Element, changed: () => void): () => void {
  const sizes = new ResizeObserver(changed);
  sizes.observe(element);
  const themes = new MutationObserver(changed);
  const watched = { attributes: true, attributeFilter: ["class", "style", "data-theme"] };
  themes.observe(document.body, watched);
  themes.observe(document.documentElement, watched);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", changed);
  window.addEventListener("shoal-theme", changed);
  return () => {
    sizes.disconnect();
    themes.disconnect();
    dark.removeEventListener("change", changed);
    window.removeEventListener("shoal-theme", changed);
  };
}

export interface AxisText { label: string; whole?: boolean; texts?: string[] }

/** Grid, ticks and names of two axes. */
export function drawAxes(layer: Layer, box: Box, x: Scale, y: Scale, names: { x: AxisText; y: AxisText }, palette: Colours): void {
  const { context } = layer;
  context.font = FONT;
  context.lineWidth = 1;
  context.strokeStyle = palette.rule;
  context.fillStyle = palette.muted;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const tick of ticks(y, Math.max(2, (box.bottom - box.top) / 42))) {
    const at = Math.round(box.bottom - y.at(tick) * (box.bottom - box.top)) + 0.5;
    context.beginPath();
    context.moveTo(box.left, at);
    context.lineTo(box.right, at);
    context.stroke();
    context.fillText(readable(tick, 6), box.left - 6, at);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of ticks(x, Math.max(2, (box.right - box.left) / 80))) {
    if (names.x.whole && !Number.isInteger(tick)) continue;
    context.fillText(readable(tick, 6), box.left + x.at(tick) * (box.right - box.left), box.bottom + 6);
  }
  context.fillStyle = palette.ink;
  context.fillText(names.x.label, (box.left + box.right) / 2, box.bottom + 22);
  context.textAlign = "left";
  context.fillText(names.y.label, 4, 2);
}

export function element<K extends keyof HTMLElementTagNameMap>(
  kind: K, classes: string, text = "", attributes: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(kind);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function tell(from: HTMLElement, name: string, detail: unknown): void {
  from.dispatchEvent(new CustomEvent(name, { detail }));
}

const STYLE = `
shoal-curves, shoal-parallel, shoal-plot { display: block; min-width: 0; font: 13px/1.45 var(--sans, system-ui, sans-serif); }
.sc-box { position: relative; width: 100%; height: var(--height, 22rem); touch-action: pan-y; user-select: none; -webkit-user-select: none; }
.sc-box canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.sc-box.faint canvas.lines { opacity: .28; }
.sc-box:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.sc-tip { position: absolute; z-index: 2; pointer-events: none; background: var(--paper); color: var(--ink); border: 1px solid var(--rule);
  padding: .15rem .5rem; font-size: 12px; white-space: nowrap; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
.sc-tip[hidden] { display: none; }
.sc-line { margin: 0 0 .4rem; min-height: 1.45em; font-variant-numeric: tabular-nums; max-width: none; overflow-wrap: anywhere; }
.sc-places { display: flex; align-items: center; gap: .75rem; margin: .3rem 0; color: var(--muted); font-size: 12px; }
.sc-places[hidden] { display: none; }
.sc-places .strip { position: relative; flex: 1; height: 10px; }
.sc-places canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.sc-alone { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.sc-more { margin: .3rem 0; font-size: 13px; color: var(--muted); }
.sc-more summary { cursor: pointer; }
.sc-more table { width: auto; }
.sc-more td, .sc-more th { padding: .2rem 1rem .2rem 0; text-align: right; }
.sc-scroll { overflow-x: auto; }
.sc-scroll .sc-box { touch-action: auto; }
.sc-key { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .2rem 0 0; color: var(--muted); font-size: 12px; padding: 0; list-style: none; }
.sc-key span { display: inline-block; width: .8em; height: .8em; margin-right: .35em; vertical-align: -.06em; }
.sc-limits { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .5rem 1rem; margin: .4rem 0; }
.sc-limits fieldset { border: 0; padding: 0; margin: 0; min-width: 0; }
.sc-limits legend { padding: 0; color: var(--muted); }
.sc-limits input, .sc-limits select { width: 5rem; font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--muted); border-radius: 3px; padding: .1rem .3rem; }
.sc-limits select { width: 100%; }
`;

export function addStyle(): void {
  if (document.getElementById("shoal-canvas-style")) return;
  const style = element("style", "", STYLE, { id: "shoal-canvas-style" });
  document.head.append(style);
}
