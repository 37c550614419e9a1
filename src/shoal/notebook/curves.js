// The validation curves of all networks while they train: `render` of an anywidget, drawn on one canvas.
// What it draws comes whole with each change of `state` and `losses`; shoal/notebook/widget.py says what is in them.

const HEIGHT = 230;
const FONT = "11px system-ui, sans-serif";
const LIGHT = { curve: "0, 114, 178", best: "#d55e00", muted: "#6a727c", rule: "#dde1e6" };
const DARK = { curve: "86, 180, 233", best: "#f0a060", muted: "#a3abb5", rule: "#3c434b" };
const STYLE = `
.shoal-curves { font: 13px/1.45 system-ui, sans-serif; max-width: 860px; padding: 2px 0; }
.shoal-curves p { margin: 0 0 2px; overflow-wrap: anywhere; }
.shoal-curves .line { font-variant-numeric: tabular-nums; }
.shoal-curves .note { opacity: 0.75; }
.shoal-curves .warning::before { content: "warning: "; font-weight: 600; }
.shoal-curves canvas { display: block; width: 100%; height: ${HEIGHT}px; }
.shoal-curves canvas[hidden] { display: none; }`;

function number(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? value.toExponential(2) : value.toPrecision(3);
  return text.replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1").replace("-", "−");
}

function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

// Losses as rows, and the range that the axis shows: up to where nearly all curves begin, since some diverge.
function tableOf(state, bytes) {
  const points = state.epochs.length;
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const curves = points ? values.length / points : 0;
  const firsts = [];
  let low = state.best ? state.best.loss : Infinity;
  for (let i = 0; i < curves; i += 1) {
    const row = values.subarray(i * points, (i + 1) * points);
    const first = row.find(Number.isFinite);
    if (first !== undefined) firsts.push(first);
    for (const value of row) if (Number.isFinite(value) && value < low) low = value;
  }
  if (!firsts.length) return null;
  let high = quantile(firsts, 0.95);
  if (!(high > low)) high = low + Math.max(Math.abs(low), 1e-6) * 0.1;
  return { values, points, curves, low, high, log: low > 0 && high / low > 8 };
}

function roundUp(epochs) {
  const size = 10 ** Math.floor(Math.log10(epochs));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size).find((end) => end >= epochs);
}

function ticks(low, high, log, most) {
  if (log) {
    for (const steps of [[1], [1, 3], [1, 2, 5]]) {
      const found = [];
      for (let d = Math.floor(Math.log10(low)); d <= Math.log10(high); d += 1) {
        for (const step of steps) found.push(Number(`${step}e${d}`));
      }
      const inside = found.filter((tick) => tick >= low && tick <= high);
      if (inside.length >= 3 || steps.length === 3) {
        const every = Math.ceil(inside.length / most);
        return inside.filter((_, i) => i % every === 0);
      }
    }
  }
  const rough = (high - low) / most;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * size).find((k) => k >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12); k += 1) found.push(Number((k * step).toPrecision(12)));
  return found;
}

// Whether text is light here, so that the ground is dark: notebooks say their theme in different ways.
function colours(element) {
  const [r, g, b] = getComputedStyle(element).color.match(/[\d.]+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? DARK : LIGHT;
}

// Where a loss after an epoch lies on the canvas.
function frameOf(state, table, width, left) {
  const plot = { left, top: 20, right: width - 14, bottom: HEIGHT - 34 };
  const scale = table.log ? Math.log : (value) => value;
  const room = 0.04 * (scale(table.high) - scale(table.low));
  const low = scale(table.low) - room;
  const high = scale(table.high) + room;
  const last = Math.max(2, state.ended ? state.reached : roundUp(state.reached));
  return {
    ...plot,
    last,
    x: (epoch) => plot.left + ((plot.right - plot.left) * (epoch - 1)) / (last - 1),
    y: (loss) => plot.bottom - ((plot.bottom - plot.top) * (scale(loss) - low)) / (high - low),
  };
}

function drawAxes(context, frame, state, table, yTicks, palette, ink) {
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const tick of yTicks) {
    const y = Math.round(frame.y(tick)) + 0.5;
    context.strokeStyle = palette.rule;
    context.beginPath();
    context.moveTo(frame.left, y);
    context.lineTo(frame.right, y);
    context.stroke();
    context.fillStyle = palette.muted;
    context.fillText(number(tick), frame.left - 6, y);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  const whole = (tick) => Number.isInteger(tick) && tick >= 1;
  for (const tick of new Set([1, ...ticks(1, frame.last, false, Math.max(2, (frame.right - frame.left) / 90)).filter(whole)])) {
    context.fillText(String(tick), frame.x(tick), frame.bottom + 6);
  }
  context.fillStyle = ink;
  context.fillText("epoch", (frame.left + frame.right) / 2, frame.bottom + 20);
  context.textAlign = "left";
  const shown = table.curves < state.networks ? ` of ${table.curves} of ${state.networks} networks` : "";
  context.fillText(`${state.metric}${shown}${table.log ? ", logarithmic" : ""}`, 4, 2);
}

function trace(context, frame, state, table, curve) {
  context.beginPath();
  let pen = false;
  for (let k = 0; k < table.points; k += 1) {
    const loss = table.values[curve * table.points + k];
    if (!Number.isFinite(loss) || (table.log && loss <= 0)) break; // stopped, or diverged
    if (!pen) context.moveTo(frame.x(state.epochs[k]) - 1, frame.y(loss)); // a single epoch shows, too
    context.lineTo(frame.x(state.epochs[k]), frame.y(loss));
    pen = true;
  }
  context.stroke();
}

function drawCurves(context, frame, state, table, palette) {
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top - 4, frame.right - frame.left + 6, frame.bottom - frame.top + 8);
  context.clip();
  const alpha = Math.min(0.75, 3.5 / Math.sqrt(table.curves));
  context.strokeStyle = `rgba(${palette.curve}, ${alpha})`;
  context.lineWidth = 1;
  for (let curve = 0; curve < table.curves; curve += 1) trace(context, frame, state, table, curve);
  if (state.best) {
    context.strokeStyle = palette.best;
    context.lineWidth = 2;
    trace(context, frame, state, table, state.best.curve);
  }
  context.restore();
}

function drawBest(context, frame, state, palette, ground) {
  const { epoch, loss, network } = state.best;
  const x = frame.x(epoch);
  const y = frame.y(loss);
  context.beginPath();
  context.arc(x, y, 4, 0, 2 * Math.PI);
  context.fillStyle = palette.best;
  context.fill();
  const text = `best ${number(loss)}: network ${network}, epoch ${epoch}`;
  const width = context.measureText(text).width;
  const start = Math.max(frame.left + 4, Math.min(x - width / 2, frame.right - width));
  const above = Math.max(frame.top + 2, y - 24);
  context.fillStyle = ground;
  context.globalAlpha = 0.8;
  context.fillRect(start - 3, above - 1, width + 6, 15);
  context.globalAlpha = 1;
  context.fillStyle = palette.best;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(text, start, above);
}

function draw(canvas, state, bytes) {
  const table = tableOf(state, bytes);
  canvas.hidden = table === null;
  const width = canvas.clientWidth;
  if (table === null || width === 0) return;
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.font = FONT;
  const palette = colours(canvas);
  const yTicks = ticks(table.low, table.high, table.log, 5);
  const left = 12 + Math.max(24, ...yTicks.map((tick) => context.measureText(number(tick)).width));
  const frame = frameOf(state, table, width, left);
  drawAxes(context, frame, state, table, yTicks, palette, getComputedStyle(canvas).color);
  drawCurves(context, frame, state, table, palette);
  if (state.best) drawBest(context, frame, state, palette, palette === DARK ? "#16191d" : "#ffffff");
}

function paragraph(kind, text) {
  const element = document.createElement("p");
  element.className = kind;
  element.textContent = text;
  return element;
}

function render({ model, el }) {
  const style = document.createElement("style");
  style.textContent = STYLE;
  const words = document.createElement("div");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const root = document.createElement("div");
  root.className = "shoal-curves";
  root.append(words, canvas);
  el.append(style, root);

  let waiting = 0;
  const show = () => {
    waiting = 0;
    const state = model.get("state");
    if (!state || !state.epochs) return;
    words.replaceChildren(
      ...state.notes.map((text) => paragraph("note", text)),
      ...state.warnings.map((text) => paragraph("warning", text)),
      paragraph("line", state.line),
    );
    canvas.setAttribute("aria-label", `Validation curves of ${state.networks} networks. ${state.line}`);
    draw(canvas, state, model.get("losses"));
  };
  const soon = () => {
    if (!waiting) waiting = requestAnimationFrame(show);
  };
  model.on("change:state", soon);
  const sizes = new ResizeObserver(soon);
  sizes.observe(root);
  const themes = new MutationObserver(soon);
  themes.observe(document.body, { attributes: true });
  themes.observe(document.documentElement, { attributes: true });
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", soon);
  soon();
  return () => {
    model.off("change:state", soon);
    sizes.disconnect();
    themes.disconnect();
    preference.removeEventListener("change", soon);
    if (waiting) cancelAnimationFrame(waiting);
  };
}

export default { render };
