// The frames of shoal/workbench/frames.py, which says what is in them, and what a page keeps of them.

const FIELDS = [
  "generation", "segments", "rows", "statusVersion", "bandsVersion", "stride", "reached", "trained", "total", "bestRow", "bestEpoch",
  "refilled", "newRows", "newSegments", "values", "rungs", "points", "places", "jsonBytes",
] as const;
const HEADER_BYTES = 8 + 4 * (FIELDS.length + 2);
const RESET = 1;
const MORE = 2;
const BANDS = 4;
const STATUSES = 8;
export const NONE = 0xffffffff;
export const STATUS = ["in training", "finished", "stopped early", "diverged", "let go"];

type Numbers = Record<(typeof FIELDS)[number], number>;

export interface Segment { row: number; first: number; count: number }
export interface Words { state: string; message: string; stage: string; metric: string }
export interface Taken { reset: boolean; more: boolean; bands: boolean; segments: Segment[] }

export class Curves {
  numbers: Numbers = Object.fromEntries(FIELDS.map((name) => [name, 0])) as Numbers;
  bestLoss = Number.NaN;
  secondsLeft = Number.NaN;
  words: Words = { state: "waiting", message: "", stage: "", metric: "" };
  ids = new Uint32Array(64);
  lengths = new Uint32Array(64);
  bandsOf = new Float32Array(0);
  bandPoints = 0;
  bests = new Float32Array(0);
  epochs = new Uint32Array(0);
  statuses = new Uint8Array(0);
  places = new Int32Array(0);
  rungs: [number, number][] = [];
  private losses = new Float32Array(64 * 64);
  private room = 64; // points of a row

  question(): ArrayBuffer {
    const n = this.numbers;
    return new Uint32Array([n.generation, n.segments, n.rows, n.statusVersion, n.bandsVersion]).buffer;
  }

  curve(row: number): Float32Array {
    return this.losses.subarray(row * this.room, row * this.room + this.lengths[row]);
  }

  loss(row: number, point: number): number {
    return point < this.lengths[row] ? this.losses[row * this.room + point] : Number.NaN;
  }

  /** The quantile of a level, 0 to 4, at all points. */
  band(level: number): Float32Array {
    return this.bandsOf.subarray(level * this.bandPoints, (level + 1) * this.bandPoints);
  }

  rowOf(network: number): number {
    return this.ids.subarray(0, this.numbers.rows).indexOf(network);
  }

  take(frame: ArrayBuffer): Taken {
    const view = new DataView(frame);
    if (view.byteLength < HEADER_BYTES || view.getUint32(0, true) !== 0x434c4853) throw new Error("this is no frame of curves");
    const flags = view.getUint32(4, true);
    const numbers = {} as Numbers;
    FIELDS.forEach((name, i) => { numbers[name] = view.getUint32(8 + 4 * i, true); });
    this.bestLoss = view.getFloat32(HEADER_BYTES - 8, true);
    this.secondsLeft = view.getFloat32(HEADER_BYTES - 4, true);
    let at = HEADER_BYTES;
    const integers = (count: number): Uint32Array => { at += 4 * count; return new Uint32Array(frame, at - 4 * count, count); };
    const floats = (count: number): Float32Array => { at += 4 * count; return new Float32Array(frame, at - 4 * count, count); };
    if (flags & RESET) this.lengths.fill(0);
    this.numbers = numbers;
    this.makeRoom(numbers.rows, numbers.points);
    this.ids.set(integers(numbers.newRows), numbers.rows - numbers.newRows);
    const [rows, firsts, counts] = [integers(numbers.newSegments), integers(numbers.newSegments), integers(numbers.newSegments)];
    const values = floats(numbers.values);
    const segments: Segment[] = [];
    for (let i = 0, from = 0; i < rows.length; from += counts[i], i += 1) {
      this.losses.set(values.subarray(from, from + counts[i]), rows[i] * this.room + firsts[i]);
      this.lengths[rows[i]] = firsts[i] + counts[i];
      segments.push({ row: rows[i], first: firsts[i], count: counts[i] });
    }
    const [epochs, gone] = [integers(numbers.rungs), integers(numbers.rungs)];
    this.rungs = Array.from(epochs, (epoch, i) => [epoch, gone[i]]);
    if (flags & BANDS) {
      this.bandsOf = floats(5 * numbers.points).slice();
      this.bandPoints = numbers.points;
    }
    if (flags & STATUSES) {
      this.bests = floats(numbers.rows).slice();
      this.epochs = integers(numbers.rows).slice();
      this.places = new Int32Array(frame, at, numbers.places).slice();
      at += 4 * numbers.places;
      this.statuses = new Uint8Array(frame, at, numbers.rows).slice();
      at += Math.ceil(numbers.rows / 4) * 4;
    }
    this.words = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, at, numbers.jsonBytes))) as Words;
    return { reset: !!(flags & RESET), more: !!(flags & MORE), bands: !!(flags & BANDS), segments };
  }

  private makeRoom(rows: number, points: number): void {
    const had = this.lengths.length;
    if (rows <= had && points <= this.room) return;
    const [more, room] = [rows > had ? Math.max(rows, 2 * had) : had, points > this.room ? Math.max(points, 2 * this.room) : this.room];
    const losses = new Float32Array(more * room);
    for (let row = 0; row < had; row += 1) {
      losses.set(this.losses.subarray(row * this.room, row * this.room + this.lengths[row]), row * room);
    }
    const [ids, lengths] = [new Uint32Array(more), new Uint32Array(more)];
    ids.set(this.ids);
    lengths.set(this.lengths);
    [this.losses, this.room, this.ids, this.lengths] = [losses, room, ids, lengths];
  }
}

/** Asks for frames over a websocket: one at a time, and again after a break. */
export class Feed {
  private socket: WebSocket | null = null;
  private timer = 0;
  private pause = 500;
  private ended = false;

  constructor(private readonly url: string, private readonly curves: Curves, private readonly took: (taken: Taken) => void,
    private readonly lost: (why: string) => void) {
    this.open();
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  /** Ask for the next frame, when the last one is drawn. */
  next(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(this.curves.question());
  }

  private open(): void {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => { this.pause = 500; this.next(); };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => this.took(this.curves.take(event.data));
    socket.onclose = () => {
      if (this.ended) return;
      this.lost("The connection to shoal is interrupted; trying again.");
      this.timer = window.setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(8000, this.pause * 2);
    };
  }
}
