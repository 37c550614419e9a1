// Panels of a drawing as SVG: axes with marks, grids of numbers, diagrams, tables. See drawing.py for what they hold.
const SVG = "http://www.w3.org/2000/svg";
const svg = (kind, attributes = {}, text) => {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
const CLASSES = ["blue", "vermilion", "green", "purple", "ochre", "teal", "rose", "brown", "slate", "lime"];
const colour = (name) => {
  if (typeof name === "number") return `color-mix(in oklch, var(--vermilion) ${Math.round(100 * name)}%, var(--blue))`;
  return `var(--${name.startsWith("class ") ? CLASSES[Number(name.slice(6)) % CLASSES.length] : name})`;
};
const short = (value) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(0).replace("e+", "e").replace("-", "−");
  return String(Number(value.toPrecision(4))).replace("-", "−");
};
const html = (kind, className = "", text = "") => Object.assign(document.createElement(kind), { className, textContent: text });

// Maps of numbers from 0 to 1 in the colours of the page.
let inks = {};
const ink = (panel, name) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  canvas.fillStyle = getComputedStyle(panel).getPropertyValue(`--${name}`).trim() || "#888";
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const MOST = 0.62; // of a colour in a map, so that what lies on it can be seen
const shade = (share, scale) => {
  const [from, to, mix] = scale === "diverging" ? [inks.paper, share < 0.5 ? inks.blue : inks.vermilion, Math.abs(2 * share - 1)] : [inks.paper, inks.blue, share];
  return from.map((value, k) => Math.round(value + (to[k] - value) * MOST * mix));
};
const picture = (values, scale) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: values[0].length, height: values.length });
  const data = new ImageData(canvas.width, canvas.height);
  values.forEach((row, r) => row.forEach((value, c) => data.data.set(value === null ? [0, 0, 0, 0] : [...shade(value, scale), 255], 4 * ((values.length - 1 - r) * canvas.width + c))));
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas.toDataURL();
};

const ticks = (low, high, log, room) => {
  if (log) {
    const [a, b] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
    const every = Math.max(1, Math.ceil((b - a + 1) / room));
    return Array.from({ length: Math.max(0, b - a + 1) }, (_, k) => a + k).filter((k) => (k - a) % every === 0).map((k) => 10 ** k);
  }
  const rough = (high - low) / room, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step);
};

let serial = 0;
const drawAxes = (panel, width, set, control) => {
  const box = { left: 50, right: 10, top: 8, bottom: 40 };
  const upwards = ticks(panel.y[0], panel.y[1], panel.log_y, 5);
  box.left = 24 + 6.6 * Math.max(2, ...upwards.map((value) => short(value).length));
  const plotWidth = width - box.left - box.right, plotHeight = panel.square ? Math.min(plotWidth, 420) : Math.min(250, plotWidth * 0.72);
  const height = plotHeight + box.top + box.bottom;
  const scale = ([low, high], log, from, to) => {
    const f = log ? Math.log10 : (value) => value;
    const [a, b] = [f(low), f(high)];
    return { at: (value) => from + ((f(value) - a) / (b - a || 1)) * (to - from), back: (place) => { const value = a + ((place - from) / (to - from)) * (b - a); return log ? 10 ** value : value; } };
  };
  const x = scale(panel.x, panel.log_x, box.left, box.left + plotWidth), y = scale(panel.y, panel.log_y, box.top + plotHeight, box.top);
  const made = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": panel.title });
  const clip = `learn-clip-${++serial}`;
  const defs = svg("clipPath", { id: clip });
  defs.append(svg("rect", { x: box.left, y: box.top, width: plotWidth, height: plotHeight }));
  made.append(defs, svg("rect", { x: box.left, y: box.top, width: plotWidth, height: plotHeight, fill: "var(--paper)" }));
  const inside = svg("g", { "clip-path": `url(#${clip})` });
  const frame = svg("g");
  for (const value of ticks(panel.x[0], panel.x[1], panel.log_x, Math.max(3, plotWidth / 70))) {
    frame.append(svg("line", { x1: x.at(value), x2: x.at(value), y1: box.top + plotHeight, y2: box.top + plotHeight + 4, stroke: "var(--muted)" }),
      svg("text", { x: x.at(value), y: box.top + plotHeight + 16, "text-anchor": "middle", class: "tick" }, short(value)));
  }
  for (const value of ticks(panel.y[0], panel.y[1], panel.log_y, Math.max(3, plotHeight / 45))) {
    inside.append(svg("line", { x1: box.left, x2: box.left + plotWidth, y1: y.at(value), y2: y.at(value), stroke: "var(--rule)", "stroke-width": 0.6 }));
    frame.append(svg("text", { x: box.left - 6, y: y.at(value) + 4, "text-anchor": "end", class: "tick" }, short(value)));
  }
  frame.append(svg("rect", { x: box.left, y: box.top, width: plotWidth, height: plotHeight, fill: "none", stroke: "var(--muted)", "stroke-width": 0.8 }),
    svg("text", { x: box.left + plotWidth / 2, y: height - 6, "text-anchor": "middle" }, panel.x[2]),
    svg("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(11 ${box.top + plotHeight / 2}) rotate(-90)` }, panel.y[2]));
  const path = (xs, ys) => {
    let text = "", pen = "M";
    ys.forEach((value, k) => {
      if (value === null || xs[k] === null || xs[k] === undefined) return void (pen = "M");
      text += `${pen}${x.at(xs[k]).toFixed(1)} ${Math.max(-4e3, Math.min(4e3, y.at(value))).toFixed(1)}`;
      pen = "L";
    });
    return text;
  };
  const handles = [];
  for (const mark of panel.marks) {
    const add = (kind, attributes) => inside.append(svg(kind, attributes));
    if (mark.m === "heat") {
      const [left, right, bottom, top] = [x.at(mark.x[0]), x.at(mark.x[1]), y.at(mark.y[0]), y.at(mark.y[1])];
      add("image", { x: left, y: top, width: right - left, height: bottom - top, href: picture(mark.values, mark.scale), preserveAspectRatio: "none" });
    } else if (mark.m === "lines") {
      mark.y.forEach((ys, k) => add("path", { d: path(Array.isArray(mark.x[0]) ? mark.x[k] : mark.x, ys), fill: "none", style: `stroke: ${colour(mark.colour[k % mark.colour.length])}`, "stroke-width": mark.width, "stroke-opacity": mark.opacity ?? 1, "stroke-linejoin": "round", ...(mark.dash ? { "stroke-dasharray": "5 4" } : {}) }));
    } else if (mark.m === "segments") {
      for (const part of mark.parts) add("path", { d: part.map(([a, b, c, d]) => `M${x.at(a).toFixed(1)} ${y.at(b).toFixed(1)}L${x.at(c).toFixed(1)} ${y.at(d).toFixed(1)}`).join(""), fill: "none", style: `stroke: ${colour(mark.colour)}`, "stroke-width": mark.width, "stroke-opacity": mark.opacity, "stroke-linecap": "round" });
    } else if (mark.m === "band") {
      const there = path([...mark.x, ...[...mark.x].reverse()], [...mark.high, ...[...mark.low].reverse()]);
      add("path", { d: `${there}Z`, style: `fill: ${colour(mark.colour)}`, "fill-opacity": 0.2 });
    } else if (mark.m === "points") {
      mark.x.forEach((value, k) => { if (value !== null && mark.y[k] !== null) add("circle", { cx: x.at(value), cy: y.at(mark.y[k]), r: mark.size, style: `fill: ${colour(mark.colour[k % mark.colour.length])}`, "fill-opacity": mark.opacity, stroke: "var(--paper)", "stroke-width": 0.6 }); });
    } else if (mark.m === "bars") {
      mark.y.forEach((value, k) => { if (value > 0) add("rect", { x: x.at(mark.edges[k]), y: y.at(value), width: Math.max(0.5, x.at(mark.edges[k + 1]) - x.at(mark.edges[k]) - 0.6), height: y.at(panel.y[0]) - y.at(value), style: `fill: ${colour(mark.colour)}`, "fill-opacity": mark.opacity }); });
    } else if (mark.m === "text") {
      inside.append(svg("text", { x: x.at(mark.x), y: y.at(mark.y), "text-anchor": mark.anchor, style: `fill: ${colour(mark.colour)}` }, mark.text));
    } else if (mark.m === "handle") handles.push(mark);
  }
  made.append(inside, frame);
  for (const mark of handles) {
    const knob = svg("g", { class: "handle" });
    const [cx, cy] = [x.at(mark.x), y.at(mark.y)];
    knob.append(svg("circle", { cx, cy, r: 18, fill: "transparent" }), svg("circle", { cx, cy, r: 7, style: `fill: ${colour(mark.colour)}`, stroke: "var(--paper)", "stroke-width": 2 }),
      svg("text", { x: cx + (cx > width - 90 ? -12 : 12), y: cy - 9, "text-anchor": cx > width - 90 ? "end" : "start", style: "font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 3px" }, mark.text));
    knob.onpointerdown = (down) => drag(down, made, mark, x, y, width, set, control);
    made.append(knob);
  }
  return made;
};
const drag = (down, made, mark, x, y, width, set, control) => {
  down.preventDefault();
  const box = made.getBoundingClientRect(), factor = width / box.width; // the drawing is replaced meanwhile, its place stays
  const move = (event) => {
    const place = [x.back((event.clientX - box.left) * factor), y.back((event.clientY + scrollY - top) * factor)];
    const changes = { ...mark.also };
    mark.sets.forEach((name, k) => {
      const { low, high, step } = control(name);
      changes[name] = Number(Math.min(high, Math.max(low, Math.round(place[k] / step) * step)).toFixed(6));
    });
    set(changes);
  };
  const top = box.top + scrollY;
  const up = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", up); removeEventListener("pointercancel", up); };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
  addEventListener("pointercancel", up);
};

// A grid is as wide as it needs; so several stand side by side.
const gridWidth = (panel, room) => {
  const out = panel.border;
  const longest = panel.texts ? Math.max(...panel.texts.flat().map((text) => text.length)) : 0;
  const cell = panel.texts ? Math.max(34, longest * 7.5 + 8) : 26;
  return Math.min(room, Math.max(110, (panel.rows.length ? 34 : 0) + (panel.shades[0].length + 2 * out) * cell + 4));
};
const drawGrid = (panel, width) => {
  const rows = panel.shades.length, columns = panel.shades[0].length, side = panel.rows.length ? 34 : 0, head = panel.columns.length ? 18 : 0;
  const out = panel.border;
  const longest = panel.texts ? Math.max(...panel.texts.flat().map((text) => text.length)) : 0;
  const cell = Math.min(panel.texts ? Math.max(34, longest * 7.5 + 8) : 26, (width - side - 4) / (columns + 2 * out));
  const size = Math.min(12.5, cell * 0.42, (cell - 3) / Math.max(1, longest * 0.56));
  const left = side + out * cell + 2, top = head + out * cell + 2;
  const made = svg("svg", { viewBox: `0 0 ${width} ${top + (rows + out) * cell + 2}`, role: "img", "aria-label": panel.title });
  panel.columns.forEach((name, c) => made.append(svg("text", { x: left + (c + 0.5) * cell, y: 12, "text-anchor": "middle", class: "tick" }, name)));
  panel.rows.forEach((name, r) => made.append(svg("text", { x: left - 5, y: top + (r + 0.5) * cell + 4, "text-anchor": "end", class: "tick" }, name)));
  if (out) made.append(svg("rect", { x: left - out * cell, y: top - out * cell, width: (columns + 2 * out) * cell, height: (rows + 2 * out) * cell, fill: "none", stroke: "var(--rule)", "stroke-dasharray": "3 3" }));
  panel.shades.forEach((row, r) => row.forEach((share, c) => {
    const known = r * columns + c < panel.known;
    made.append(svg("rect", { x: left + c * cell, y: top + r * cell, width: cell, height: cell, fill: known ? `rgb(${shade(share, panel.scale)})` : "var(--paper)", stroke: "var(--rule)" }));
    if (panel.texts && known) made.append(svg("text", { x: left + (c + 0.5) * cell, y: top + (r + 0.5) * cell + size * 0.36, "text-anchor": "middle", style: `font-size: ${size}px` }, panel.texts[r][c].replace("-", "−")));
  }));
  for (const [r, c, h, w] of panel.boxes) made.append(svg("rect", { x: left + c * cell, y: top + r * cell, width: w * cell, height: h * cell, fill: "none", stroke: "var(--vermilion)", "stroke-width": 2.5, rx: 2 }));
  return made;
};

const drawDiagram = (panel, width) => {
  const height = Math.max(120, width * panel.height), made = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": panel.title });
  const at = (node) => [20 + node.x * (width - 40), 16 + node.y * (height - 40)];
  const radius = Math.max(7, Math.min(19, (height - 40) / 2.6 / Math.max(1, ...Object.values(panel.nodes.reduce((count, node) => ({ ...count, [node.x]: (count[node.x] ?? 0) + 1 }), {})))));
  const size = (node) => (node.box ? Math.max(19, node.text.length * 3.6 + 8) : radius);
  for (const arrow of panel.arrows) {
    const [a, b] = [panel.nodes[arrow.from], panel.nodes[arrow.to]], [ax, ay] = at(a), [bx, by] = at(b);
    const length = Math.hypot(bx - ax, by - ay) || 1, u = [(bx - ax) / length, (by - ay) / length];
    const edge = (node) => (node.box ? Math.min(size(node) / Math.max(1e-6, Math.abs(u[0])), 14 / Math.max(1e-6, Math.abs(u[1]))) : radius);
    const [x1, y1, x2, y2] = [ax + u[0] * edge(a), ay + u[1] * edge(a), bx - u[0] * (edge(b) + 5), by - u[1] * (edge(b) + 5)];
    const style = `stroke: ${colour(arrow.colour ?? "muted")}; fill: ${colour(arrow.colour ?? "muted")}`;
    made.append(svg("line", { x1, y1, x2, y2, style, "stroke-width": arrow.width ?? 1.2 }),
      svg("path", { d: `M${x2 + u[0] * 5} ${y2 + u[1] * 5}L${x2 - u[1] * 3} ${y2 + u[0] * 3}L${x2 + u[1] * 3} ${y2 - u[0] * 3}Z`, style, stroke: "none" }));
    if (arrow.text) made.append(svg("text", { x: x1 + (x2 - x1) * 0.42, y: y1 + (y2 - y1) * 0.42 - 4, "text-anchor": "middle", style: "paint-order: stroke; stroke: var(--paper); stroke-width: 4px" }, arrow.text.replace("-", "−")));
  }
  for (const node of panel.nodes) {
    const [cx, cy] = at(node), style = `stroke: ${colour(node.colour ?? "ink")}; fill: var(--paper)`, half = size(node);
    made.append(node.box ? svg("rect", { x: cx - half, y: cy - 13, width: 2 * half, height: 26, rx: 4, style, "stroke-width": 1.4 }) : svg("circle", { cx, cy, r: radius, style, "stroke-width": 1.4 }),
      svg("text", { x: cx, y: cy + 4, "text-anchor": "middle" }, (node.text ?? "").replace("-", "−")));
    if (node.below) made.append(svg("text", { x: cx, y: cy + (node.box ? 13 : radius) + 13, "text-anchor": "middle", class: "tick" }, node.below.replace("-", "−")));
  }
  return made;
};

const drawTable = (panel) => {
  const made = html("table"), head = made.createTHead().insertRow();
  for (const text of panel.head) { const cell = html("th", "", text); cell.scope = "col"; head.append(cell); }
  const body = made.createTBody();
  for (const row of panel.rows) { const line = body.insertRow(); for (const text of row) line.insertCell().textContent = text; }
  return made;
};

const legend = (panel) => {
  const made = html("ul", "learn-legend");
  for (const mark of panel.marks ?? []) {
    if (!mark.label) continue;
    const line = html("li"), key = html("i");
    if (mark.m === "heat") {
      const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => `rgb(${shade(share, mark.scale)})`);
      key.className = "map";
      key.style.background = `linear-gradient(90deg, ${steps})`;
      line.append(mark.label, " ", short(mark.limits[0]), key, short(mark.limits[1]));
    } else {
      if (mark.m === "points") key.className = "dot";
      key.style.background = colour(Array.isArray(mark.colour) ? mark.colour[0] : mark.colour);
      line.append(key, mark.label);
    }
    made.append(line);
  }
  return made;
};

// Draw all panels into a place; `set` takes what was dragged, `control` gives the control of a name.
export const draw = (place, drawing, set, control) => {
  inks = Object.fromEntries(["paper", "blue", "vermilion"].map((name) => [name, ink(place, name)]));
  const frames = drawing.panels.map((panel) => { const frame = html("figure", `learn-panel ${panel.type}`); frame.append(html("figcaption", "", panel.title)); return frame; });
  const old = [...place.children];
  if (old.length !== frames.length) place.replaceChildren(...frames);
  else frames.forEach((frame, k) => { old[k].firstChild.textContent = frame.firstChild.textContent; old[k].className = frame.className; frames[k] = old[k]; });
  drawing.panels.forEach((panel, k) => {
    const width = panel.type === "grid" ? gridWidth(panel, place.clientWidth) : Math.max(240, Math.min(480, frames[k].clientWidth));
    if (panel.type === "grid") frames[k].style.width = `${width}px`;
    else frames[k].style.width = "";
    const made = { axes: drawAxes, grid: drawGrid, diagram: drawDiagram, table: drawTable }[panel.type](panel, width, set, control);
    frames[k].replaceChildren(frames[k].firstChild, made, ...(panel.marks?.some((mark) => mark.label) ? [legend(panel)] : []));
  });
};
