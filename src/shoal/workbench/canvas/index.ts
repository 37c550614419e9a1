// The drawings of the workbench as elements of HTML.

import { ShoalCurves } from "./curves";
import { ShoalParallel } from "./parallel";
import { ShoalPlot } from "./plot";
import { ShoalSlider } from "./slider";

const ELEMENTS = { "shoal-curves": ShoalCurves, "shoal-parallel": ShoalParallel, "shoal-plot": ShoalPlot, "shoal-slider": ShoalSlider };
for (const [name, kind] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, kind);
}
