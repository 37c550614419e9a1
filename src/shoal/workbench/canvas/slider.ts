// <shoal-slider label low high step value>: a number by hand, on a line or typed. Event `set` tells it, some times a second at most.

import { addStyle, element, tell } from "./surface";

const EVERY = 50; // milliseconds

export class ShoalSlider extends HTMLElement {
  private waiting = 0;

  connectedCallback(): void {
    addStyle();
    if (this.firstChild) return;
    const read = (name: string): string => this.getAttribute(name) ?? "";
    const label = element("label", "", read("label"), { for: `${this.id}-n` });
    const shared = { value: read("value"), min: read("low"), max: read("high") };
    const line = element("input", "", "", { type: "range", id: `${this.id}-s`, step: read("step"), "aria-label": `${read("label")}, slider`, ...shared });
    const typed = element("input", "input", "", { type: "number", id: `${this.id}-n`, step: "any", value: shared.value });
    line.addEventListener("input", () => { typed.value = line.value; this.soon(line); });
    typed.addEventListener("input", () => { line.value = typed.value; this.soon(typed); });
    const both = element("div", "slider");
    both.append(line, typed);
    this.append(label, both);
  }

  private soon(from: HTMLInputElement): void {
    if (this.waiting) return;
    this.waiting = window.setTimeout(() => {
      this.waiting = 0;
      if (from.value !== "" && Number.isFinite(Number(from.value))) tell(this, "set", { value: Number(from.value) });
    }, EVERY);
  }
}
