// Numbers as people read them, and scales with ticks at round ones.

export function readable(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  const plain = size >= 10 ** digits && size < 1e6 ? String(Math.round(value)) : text;
  return plain.replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1").replace(/-/g, "−");
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  /** Where a value lies, from 0 at `low` to 1 at `high`. */
  at(value: number): number;
  /** The value at a place. */
  value(place: number): number;
}

export function scale(low: number, high: number, log = false): Scale {
  const warp = log ? Math.log : (v: number) => v;
  const back = log ? Math.exp : (v: number) => v;
  const from = warp(low);
  const span = warp(high) - from || 1;
  return { low, high, log, at: (v) => (warp(v) - from) / span, value: (p) => back(from + p * span) };
}

/** The limits at round numbers around two values, so that they change seldom. */
export function around(low: number, high: number, log: boolean): [number, number] {
  if (log) {
    const floor = 10 ** Math.floor(Math.log10(low));
    const ceil = 10 ** Math.floor(Math.log10(high));
    const down = [5, 2, 1].map((k) => k * floor).find((k) => k <= low) ?? floor;
    return [down, [1, 2, 5, 10].map((k) => k * ceil).find((k) => k >= high) ?? 10 * ceil];
  }
  const step = rounded((high - low) / 5 || Math.abs(low) * 0.1 || 1);
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step];
}

function rounded(rough: number): number {
  const size = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((k) => k * size).find((k) => k >= rough * (1 - 1e-9)) ?? size;
}

export function roundUp(count: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((k) => k * size).find((end) => end >= count) ?? count;
}

export function ticks(axis: Scale, most: number): number[] {
  if (axis.log && axis.high / axis.low > 8) {
    const found: number[] = [];
    for (let d = Math.floor(Math.log10(axis.low)); d <= Math.log10(axis.high); d += 1) {
      for (const step of [1, 2, 5]) found.push(Number(`${step}e${d}`));
    }
    const inside = found.filter((tick) => tick >= axis.low * 0.999 && tick <= axis.high * 1.001);
    if (inside.length <= most) return inside;
    const tens = inside.filter((tick) => /^1(0*$|e)|^0\.0*1$/.test(String(tick)));
    const every = Math.ceil(tens.length / most);
    return tens.filter((_, i) => i % every === 0);
  }
  const step = rounded((axis.high - axis.low) / Math.max(1, most));
  const found: number[] = [];
  for (let k = Math.ceil(axis.low / step - 1e-9); k * step <= axis.high + step * 1e-9; k += 1) {
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}
