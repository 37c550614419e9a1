// The drawings of the workbench as elements of HTML.

import { ShoalCurves } from "./curves";
import { ShoalParallel } from "./parallel";
import { ShoalPlot } from "./plot";

for (const [name, kind] of Object.entries({ "shoal-curves": ShoalCurves, "shoal-parallel": ShoalParallel, "shoal-plot": ShoalPlot })) {
  if (!customElements.get(name)) customElements.define(name, kind);
}
