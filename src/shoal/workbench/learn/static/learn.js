// Learn: words and controls of a figure, whose drawing the server computes; the state stands behind the # of the address.
import { draw } from "./drawing.js";

const root = await new Promise((found) => {
  const look = () => { const place = document.getElementById("learn"); place ? found(place) : requestAnimationFrame(look); };
  look();
});
const asker = Math.random().toString(36).slice(2);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// element("p", {className: "lead"}, "text", child): properties by name, attributes where a name has a hyphen or is role
const element = (kind, properties = {}, ...children) => {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(properties))
    name.includes("-") || ["role", "for", "style"].includes(name) ? made.setAttribute(name, value) : (made[name] = value);
  made.append(...children);
  return made;
};
const minus = (text) => text.replace(/(^|[\s(=·])-(?=[\d.])/g, "$1−");
const number = (value) => { const v = Number(value); return String(Number(v.toPrecision(3))).replace("-", "−"); };

let figure = null; // what the server says of the figure
let values = {}; // texts of the controls, of the data and their picks
let controls = new Map(); // name -> function that shows a value
let drawing = null, busy = false, stale = false, playing = null;

const index = await (await fetch("api/learn")).json();
const list = element("nav", { className: "learn-index", "aria-label": "Figures" });
const jump = element("select", { className: "input", id: "learn-jump" });
for (const part of [...new Set(index.map((each) => each.part))]) {
  const inside = index.filter((each) => each.part === part);
  list.append(element("h2", {}, part), element("ul", {}, ...inside.map((each) => element("li", {}, element("a", { href: `#${each.name}`, id: `figure-${each.name}` }, each.title)))));
  jump.append(element("optgroup", { label: part }, ...inside.map((each) => element("option", { value: each.name }, each.title))));
}
jump.onchange = () => (location.hash = jump.value);
const main = element("div");
root.append(element("div", {}, list, element("div", { className: "learn-jump field" }, element("label", { for: "learn-jump" }, "Figure"), jump)), main);

const read = () => {
  const [name, ...rest] = location.hash.slice(1).split("&");
  return { name: decodeURIComponent(name) || index[0].name, given: Object.fromEntries(new URLSearchParams(rest.join("&"))) };
};
const write = () => {
  const changed = Object.entries(values).filter(([name, value]) => value !== figure.defaults[name]);
  const query = new URLSearchParams(changed).toString();
  const hash = `#${figure.name}${query ? `&${query}` : ""}`;
  if (hash !== location.hash) history.replaceState(history.state, "", location.pathname + location.search + hash);
};

const show = async (moved) => {
  stop();
  const { name, given } = read();
  const answer = await fetch(`api/learn/${encodeURIComponent(name)}`);
  if (!answer.ok) return main.replaceChildren(element("p", { className: "wrong", role: "alert" }, (await answer.json()).detail));
  figure = await answer.json();
  figure.defaults = Object.fromEntries(figure.controls.map((each) => [each.name, each.value]));
  if (figure.kind) figure.defaults.data = figure.sources[0];
  values = { ...figure.defaults, ...given };
  for (const link of list.querySelectorAll("a")) link.getAttribute("href") === `#${figure.name}` ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  jump.value = figure.name;
  const heading = element("h1", { tabIndex: -1 }, figure.title);
  const formula = element("div", { className: "formula", tabIndex: 0, role: "group", "aria-label": "Formula" });
  formula.innerHTML = figure.formula.join(""); // MathML of our own
  const place = { panels: element("div", { className: "learn-panels" }), say: element("p", { className: "learn-say", role: "status" }), facts: element("dl", { className: "learn-facts" }) };
  figure.place = place;
  const question = element("section", { className: "learn-question", "aria-label": "Question" }, element("p", {}, figure.question),
    element("details", {}, element("summary", {}, "Answer"), element("p", {}, figure.answer)));
  const foot = element("div", { className: "learn-foot" }, button("Copy the link", copy), button("As at first", reset));
  main.replaceChildren(heading, element("p", { className: "lead" }, figure.lead), formula,
    element("div", { className: "learn-bench" }, element("div", {}, place.panels, place.say, place.facts), form()), question, foot);
  if (moved) heading.focus({ preventScroll: true }), scrollTo(0, 0);
  drawing = null;
  ask();
};
const button = (text, onclick) => element("button", { type: "button", className: "button", onclick }, text);
const copy = () => navigator.clipboard.writeText(location.href).then(() => window.shoal?.tell("Copied."), () => window.shoal?.tell("The browser does not let pages copy; the link is the address of this page.", true));
const reset = () => { location.hash === `#${figure.name}` ? show(false) : (location.hash = `#${figure.name}`); };

// One question at a time; what changed meanwhile is asked next, so that the latest control wins.
const ask = async () => {
  if (busy) return void (stale = true);
  busy = true;
  const of = figure;
  const waiting = setTimeout(() => of.place.panels.classList.add("waiting"), 250);
  try {
    const query = new URLSearchParams({ ...values, asker, ...(values.data === "own" ? { own: location.search.slice(1) } : {}) });
    const answer = await fetch(`api/learn/${of.name}/drawing?${query}`);
    if (of === figure && answer.ok && answer.status !== 204) take(await answer.json());
    else if (of === figure && !answer.ok) refuse((await answer.json()).detail);
  } catch {
    if (of === figure) refuse("The workbench does not answer; was it ended?");
  }
  clearTimeout(waiting);
  of.place.panels.classList.remove("waiting");
  busy = false;
  if (stale) (stale = false), ask();
  else playing?.();
};
const refuse = (text) => { stop(); figure.place.say.replaceChildren(element("span", { className: "wrong", role: "alert" }, text)); };
const take = (answer) => {
  drawing = answer.drawing;
  for (const [name, value] of Object.entries(answer.state))
    if (!stale && values[name] !== value) { values[name] = value; controls.get(name)?.(value); }
  offer(answer.picks);
  for (const [name, end] of Object.entries(drawing.ends)) {
    const control = figure.controls.find((each) => each.name === name), slide = document.getElementById(`c-${name}`);
    if (control && slide) { control.end = Math.min(control.high, end); slide.max = control.end; }
  }
  for (const control of figure.controls) if (control.only) document.getElementById(`c-${control.name}`).hidden = values.data !== control.only;
  if (!stale) write();
  paint();
  const { say, facts } = figure.place;
  if (!playing) say.textContent = minus(drawing.say);
  facts.replaceChildren(...drawing.facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, minus(value)))));
};
const paint = () => drawing && draw(figure.place.panels, drawing, (changes) => { stop(); set(changes); }, (name) => figure.controls.find((each) => each.name === name));
const set = (changes) => {
  for (const [name, value] of Object.entries(changes)) { values[name] = String(value); controls.get(name)?.(String(value)); }
  ask();
};

// Playing: the next value as soon as the last is drawn, not faster than the eye.
const stop = () => { if (playing) { clearTimeout(playing.timer); playing.button.textContent = "Play"; playing = null; if (drawing) figure.place.say.textContent = minus(drawing.say); } };
const play = (control, knob) => {
  const next = () => {
    const at = Number(values[control.name]) + control.step;
    if (at > (control.end ?? control.high) + 1e-9) return stop();
    set({ [control.name]: Number(at.toFixed(6)) });
  };
  if (calm.matches) return next();
  if (playing) return stop();
  if (Number(values[control.name]) >= (control.end ?? control.high)) values[control.name] = String(control.low);
  const pause = Math.min(400, Math.max(45, 8000 / ((control.high - control.low) / control.step)));
  playing = () => (playing.timer = setTimeout(next, pause));
  playing.button = knob;
  knob.textContent = "Pause";
  next();
};

const form = () => {
  controls = new Map();
  const made = element("form", { className: "learn-controls", onsubmit: () => false, "aria-label": "Controls" });
  if (figure.kind) made.append(select({ name: "data", label: "Data", options: Object.fromEntries(figure.sources.map((each) => [each, each === "own" ? "your own (page Data)" : each.replaceAll("_", " ")])) }, (value) => {
    for (const name of ["first", "second", "target", "row", "channel"]) delete values[name];
    set({ data: value });
  }), (figure.place.picks = element("div", { className: "learn-controls", style: "grid-column: auto" })));
  for (const control of figure.controls) made.append({ slider, choice: select, toggle, numbers }[control.type](control));
  return made;
};
const offer = (picks) => {
  const place = figure.place.picks;
  if (!place || place.dataset.has === JSON.stringify(picks)) return;
  const focused = document.activeElement?.id;
  place.dataset.has = JSON.stringify(picks);
  place.hidden = !picks.length;
  place.replaceChildren(...picks.map((pick) => {
    values[pick.name] ??= pick.chosen;
    figure.defaults[pick.name] ??= pick.chosen;
    return select({ name: pick.name, label: pick.label, value: pick.chosen, options: Object.fromEntries(pick.options.map((each) => [each, each])) });
  }));
  if (focused?.startsWith("c-")) document.getElementById(focused)?.focus();
};
const select = (control, then) => {
  const id = `c-${control.name}`;
  const made = element("select", { className: "input", id }, ...Object.entries(control.options).map(([value, text]) => element("option", { value }, text)));
  made.value = values[control.name] ?? control.value;
  made.onchange = () => (then ? then(made.value) : set({ [control.name]: made.value }));
  controls.set(control.name, (value) => (made.value = value));
  return element("div", {}, element("label", { for: id }, control.label), made);
};
const slider = (control) => {
  const id = `c-${control.name}`, log = control.log;
  const output = element("output", { for: id });
  const made = element("input", { type: "range", id });
  const ends = [control.low, control.high].map((end) => (log ? Math.log10(end) : end));
  [made.min, made.max] = ends;
  made.step = log ? (ends[1] - ends[0]) / Math.round((ends[1] - ends[0]) / Math.min(control.step, 0.05)) : control.step;
  const shown = (value) => { made.value = log ? Math.log10(value) : value; output.textContent = number(value); made.setAttribute("aria-valuetext", number(value)); };
  shown(values[control.name]);
  made.oninput = () => {
    if (playing) stop();
    const value = log ? Math.min(control.high, Math.max(control.low, 10 ** made.value)).toPrecision(4) : made.value;
    set({ [control.name]: Number(value) });
  };
  controls.set(control.name, shown);
  const line = element("div", { className: "learn-slide" }, made);
  if (control.play) {
    const knob = element("button", { type: "button", className: "button", "aria-label": `${calm.matches ? "Step" : "Play"}: ${control.label}` }, calm.matches ? "Step" : "Play");
    knob.onclick = () => play(control, knob);
    line.append(knob);
  }
  return element("div", {}, element("label", { for: id }, element("span", {}, control.label), output), line);
};
const toggle = (control) => {
  const made = element("input", { type: "checkbox", id: `c-${control.name}`, checked: values[control.name] === "1" });
  made.onchange = () => set({ [control.name]: made.checked ? "1" : "0" });
  controls.set(control.name, (value) => (made.checked = value === "1"));
  return element("label", { className: "check" }, made, control.label);
};
const numbers = (control) => {
  const { rows, columns, pixels } = control;
  const split = (text) => (pixels && !text.includes(",") ? [...text] : text.split(","));
  const numbered = (names) => names.every((name) => /^\d*$/.test(name));
  const heads = !numbered(columns), sides = !numbered(rows);
  const cells = [];
  const place = element("div", { className: "learn-cells", style: `grid-template-columns: repeat(${columns.length + (sides ? 1 : 0)}, auto)` });
  const send = () => set({ ...control.sets, [control.name]: cells.map((cell) => (pixels ? (cell.getAttribute("aria-pressed") === "true" ? "1" : "0") : Number(cell.value) || 0)).join(pixels ? "" : ",") });
  if (heads) place.append(...(sides ? [element("span")] : []), ...columns.map((name) => element("span", { "aria-hidden": "true" }, name)));
  const press = (cell, on) => { cell.setAttribute("aria-pressed", on); cell.textContent = on ? "1" : "0"; };
  rows.forEach((row, r) => {
    if (sides) place.append(element("span", { "aria-hidden": "true" }, row));
    columns.forEach((column, c) => {
      const label = `${control.label}: ${sides ? row : `row ${r + 1}`}, ${heads ? column : `column ${c + 1}`}`;
      const at = cells.length;
      const cell = pixels
        ? element("button", { type: "button", "aria-label": label, tabIndex: at ? -1 : 0 })
        : element("input", { type: "number", className: "input", "aria-label": label, min: control.low, max: control.high, step: control.step });
      if (pixels) {
        cell.onclick = (event) => { if (event.detail === 0) { press(cell, cell.getAttribute("aria-pressed") !== "true"); send(); } }; // by key
        cell.onpointerdown = (event) => { event.preventDefault(); cell.focus(); pen = cell.getAttribute("aria-pressed") !== "true"; press(cell, pen); send(); };
        cell.onkeydown = (event) => {
          const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns.length, ArrowDown: at + columns.length }[event.key];
          if (to === undefined || !cells[to]) return;
          event.preventDefault();
          cell.tabIndex = -1;
          cells[to].tabIndex = 0;
          cells[to].focus();
        };
      } else cell.onchange = () => { cell.value = Math.min(control.high, Math.max(control.low, Number(cell.value) || 0)); send(); };
      cells.push(cell);
      place.append(cell);
    });
  });
  let pen = null;
  if (pixels) {
    place.onpointermove = (event) => {
      const cell = pen === null ? null : document.elementFromPoint(event.clientX, event.clientY);
      if (cells.includes(cell) && (cell.getAttribute("aria-pressed") === "true") !== pen) { press(cell, pen); send(); }
    };
    addEventListener("pointerup", () => (pen = null));
  }
  const shown = (text) => split(text).forEach((value, at) => { if (cells[at]) pixels ? press(cells[at], value === "1") : document.activeElement !== cells[at] && (cells[at].value = Number(value)); });
  shown(values[control.name]);
  controls.set(control.name, shown);
  const legend = pixels ? `${control.label} (arrows move, space switches)` : control.label;
  return element("fieldset", { id: `c-${control.name}` }, element("legend", {}, legend), place);
};

addEventListener("hashchange", () => show(true));
addEventListener("shoal-theme", paint);
let width = 0;
new ResizeObserver(() => { if (Math.abs(root.clientWidth - width) > 8) { width = root.clientWidth; if (figure) paint(); } }).observe(root);
show(false);
