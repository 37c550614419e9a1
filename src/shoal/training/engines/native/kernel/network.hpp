// Networks of any layers: how operations and buffers are laid down, and their chunk of epochs.

template <bool SINGLE>
struct NetworkLayout : Lanes, Recurrence<SINGLE> {
    using Element = ElementOf<SINGLE>;
    using Recurrence<SINGLE>::PER, Recurrence<SINGLE>::tile_rows;
    static constexpr int GROUP = SINGLE ? LANES : 1;  // rows whose losses are one vector

    const Graph &graph;
    List<Buffer<SINGLE>> buffers;
    List<Plan> plans;
    StepMasks masks;
    long size = 0, turned_size = 0;  // in vectors
    V *parameters = nullptr, *first, *second, *best, *turned;
    V *y, *weights, *present, *output, *slope;  // of a group of rows each
    float *input;
    List<V *> gradients;  // of each part of a batch
    List<float> image;

    // A worker beside the first uses the parameters of that one.
    NetworkLayout(const Rows &rows, Member *const *members, int count, const NetworkLayout *lead = nullptr)
        : Lanes(rows, members, count, SINGLE), graph(*members[0]->graph), buffers(graph.shape_count), plans(graph.operation_count),
          masks(graph), image((long)rows.inputs) {
        for (int i = 0; i < graph.shape_count; ++i) {
            static_cast<Shape &>(buffers[i]) = graph.shapes[i];
            buffers[i].vectors = (buffers[i].channels + PER - 1) / PER;
        }
        for (int i = 0; i < graph.operation_count; ++i) plan(plans[i], graph.operations[i]);
        for (int i = graph.operation_count; i-- > 0;) find_who_adds(plans[i]);
        for (long i = 0; i < buffers.size(); ++i) {
            const long elements = i ? (long)buffers[i].vectors * PER : buffers[i].channels;
            buffers[i].grid = buffers[i].border.around(buffers[i], elements);
            buffers[i].slope_grid = buffers[i].slope_border.around(buffers[i], elements);
        }
        for (Plan &p : plans) {
            if (p.kind == CONVOLUTION) find_runs(p);
            if (p.kind == RECURRENCE) Recurrence<SINGLE>::find_runs(p);
        }
        place(lead == nullptr);
        if (lead)
            parameters = lead->parameters, turned = lead->turned;
        else
            move_parameters<true>();
        this->weights_of_slopes = turned;
    }

    const Buffer<SINGLE> &last() const { return buffers[plans.last().to]; }
    // Parts of a batch have gradients of their own, added in their order, whoever works on them.
    int parts() const { return has(BATCH_NORM) || rows.batch < 32 ? 1 : rows.batch < 64 ? 2 : 4; }
    bool has(int kind) const {
        for (const Plan &p : plans)
            if (p.kind == kind) return true;
        return false;
    }
    static int part_begin(int rows, int part, int parts) { return (int)((long)rows * part / parts); }
    static long groups(int tile) { return (tile + GROUP - 1) / GROUP; }

    // Between the members' own arrays and the lanes.
    template <bool IN>
    void move_parameters() {
        for (int lane = 0; lane < (SINGLE ? 1 : count); ++lane) {
            const Member &m = *members[lane];
            float *const theirs[] = {m.parameters, m.first, m.second, m.best};
            V *const ours[] = {parameters, first, second, best};
            for (int kind = 0; kind < 4; ++kind) {
                float *at = theirs[kind];
                const auto move = [&, lane, kind](long vector, int channel) {
                    V &here = ours[kind][vector];
                    if (IN) set_lane(here, SINGLE ? channel : lane, *at++);
                    else *at++ = here[SINGLE ? channel : lane];
                };
                for (const Plan &p : plans) for_parameters(p, move);
            }
        }
    }

    // The weights by which slopes go back, the window turned about its middle.
    void turn_weights() {
        for (const Plan &p : plans) {
            if (p.kind == RECURRENCE) {
                this->turn(p, true, parameters, turned);
                if (p.from) this->turn(p, false, parameters, turned);
            }
            if (p.kind != CONVOLUTION || p.from == 0) continue;
            const Buffer<SINGLE> &from = buffers[p.from], &to = buffers[p.to];
            const int places = p.window[0] * p.window[1];
            const long depth = p.at_once ? to.channels : (long)places * to.channels;
            for (int place = 0; place < places; ++place)
                for (int c = 0; c < from.channels; ++c) {
                    const long k = p.at_once ? 0 : (long)(places - 1 - place) * to.channels;
                    V *const into = turned + p.turned + (p.at_once ? place * depth * from.vectors : 0) +
                                    in_strips(depth, from.vectors, k, c / PER);
                    const int first_of_strip = c / PER / MOST_COLUMNS * MOST_COLUMNS;
                    const int wide = from.vectors - first_of_strip < MOST_COLUMNS ? from.vectors - first_of_strip : MOST_COLUMNS;
                    for (int j = 0; j < to.vectors; ++j) {
                        const V weight = parameters[p.weights + in_strips(p.factors, to.vectors, (long)place * from.channels + c, j)];
                        if constexpr (SINGLE) {
                            const int most = to.channels - j * PER < PER ? to.channels - j * PER : PER;
                            for (int lane = 0; lane < most; ++lane)
                                reinterpret_cast<float *>(into + (long)(j * PER + lane) * wide)[c % PER] = weight[lane];
                        } else
                            into[(long)j * wide] = weight;
                    }
                }
        }
    }

private:
    Memory memory;

    void plan(Plan &p, const Operation &operation) {
        static_cast<Operation &>(p) = operation;
        Buffer<SINGLE> &from = buffers[p.from], &to = buffers[p.to];
        if (p.kind == CONVOLUTION) {
            const int shape[] = {from.lines, from.columns}, out[] = {to.lines, to.columns};
            p.at_once = to.places() == 1 && p.window[0] == from.lines && p.window[1] == from.columns;
            p.factors = (long)p.window[0] * p.window[1] * from.channels;
            p.weights = size, p.biases = p.weights + p.factors * to.vectors, p.bias_vectors = to.vectors;
            size = p.biases + p.bias_vectors;
            p.turned = turned_size;
            turned_size += (long)p.window[0] * p.window[1] * to.channels * from.vectors;
            for (int axis = 0; axis < 2 && !p.at_once; ++axis) {
                const long span = (long)(p.window[axis] - 1) * p.dilation[axis], before = p.before[axis];
                const long end = (long)(out[axis] - 1) * p.strides[axis];
                from.border.widen(axis, before, end + span + 1 - shape[axis] - before);
                if (p.from == 0) continue;
                to.slope_border.stride[axis] = p.strides[axis];
                to.slope_border.widen(axis, span - before, shape[axis] - 1 + before - end);
            }
        }
        if (p.kind == RECURRENCE) plan_recurrence(p, from, to);
        if (p.kind == LAYER_NORM || p.kind == BATCH_NORM) {
            p.weights = p.biases = size, p.bias_vectors = (p.scale + p.center) * to.vectors;
            size += p.bias_vectors + (p.kind == BATCH_NORM ? 2 * to.vectors : 0);
        }
    }

    void plan_recurrence(Plan &p, const Buffer<SINGLE> &from, const Buffer<SINGLE> &to) {
        p.shape = this->shape_of(p, from, to);
        const CellShape &s = p.shape;
        const long columns = (long)s.gates * s.vectors;
        p.weights = size, p.recurrent = p.weights + s.features * columns, p.biases = p.recurrent + s.units * columns;
        p.bias_vectors = (int)(p.cell == GRU_CELL ? 2 * columns : columns);
        size = p.biases + p.bias_vectors;
        p.turned_recurrent = turned_size, p.turned = p.turned_recurrent + s.depth(PER) * s.vectors;
        turned_size = p.turned + (p.from ? s.depth(PER) * from.vectors : 0);
    }

    // Where the numbers of a member stand, in their order: `visit(vector, lane)`.
    template <class Visit>
    void for_parameters(const Plan &p, const Visit &visit) const {
        const int channels = buffers[p.to].channels, vectors = buffers[p.to].vectors;
        if (p.kind == RECURRENCE) Recurrence<SINGLE>::for_parameters(p, visit);
        const int normal = p.kind == LAYER_NORM ? p.scale + p.center : p.kind == BATCH_NORM ? p.scale + p.center + 2 : 0;
        for (int part = 0; part < normal; ++part)
            for (int c = 0; c < channels; ++c) visit(p.biases + part * vectors + c / PER, c % PER);
        if (p.kind != CONVOLUTION) return;
        for (long k = 0; k < p.factors + (p.bias ? 1 : 0); ++k)
            for (int c = 0; c < channels; ++c)
                visit(k < p.factors ? p.weights + in_strips(p.factors, vectors, k, c / PER) : p.biases + c / PER, c % PER);
    }

    // Slopes arrive from the last operation to the first; the first that arrive overwrite.
    void find_who_adds(Plan &p) {
        p.adds = buffers[p.from].slopes != nullptr;
        static Element marked{};
        buffers[p.from].slopes = &marked;
        if (p.kind != SUM && p.kind != PRODUCT && p.kind != AVERAGE && p.kind != JOIN) return;
        p.adds_with = buffers[p.with].slopes != nullptr;
        buffers[p.with].slopes = &marked;
    }

    static void extend(List<Run> &runs, long from, int length) {
        if (runs.size() && runs.last().from + runs.last().length == from)
            runs.last().length += length;
        else
            runs.append({from, length});
    }

    void find_runs(Plan &p) {
        const Buffer<SINGLE> &from = buffers[p.from], &to = buffers[p.to];
        for (int v = 0; v < p.window[0]; ++v)
            for (int u = 0; u < p.window[1]; ++u) {
                const long at = v * (long)p.dilation[0] * from.grid.line + u * (long)p.dilation[1] * from.grid.step;
                extend(p.runs, at, from.channels);
                for (int c = 0; c < from.channels; ++c) p.distances.append(at + c);
            }
        if (p.at_once) return extend(p.slope_runs, 0, to.channels);
        const long line = to.slope_grid.line / p.strides[0], step = to.slope_grid.step / p.strides[1];
        for (int v = p.window[0]; v-- > 0;)
            for (int u = p.window[1]; u-- > 0;)
                extend(p.slope_runs, (p.before[0] - v * (long)p.dilation[0]) * line + (p.before[1] - u * (long)p.dilation[1]) * step, to.channels);
    }

    static long of_floats(long floats) { return (floats + LANES - 1) / LANES; }

    void place(bool leads) {
        long of_row = 0;
        for (long i = 1; i < buffers.size(); ++i) of_row += (buffers[i].grid.row + buffers[i].slope_grid.row) / PER;
        for (const Plan &p : plans) of_row += keeps(p);
        constexpr long CACHE = 1 << 20;
        const long fewest = has(BATCH_NORM) ? rows.batch : !has(RECURRENCE) ? 4 : SINGLE ? 16 : 6;  // rows that share
        long tile = CACHE / (long)sizeof(V) / (of_row + 1);
        if (tile < fewest) tile = fewest;
        if (tile > LANES && !has(BATCH_NORM)) tile = tile / LANES * LANES;
        const long most = (rows.batch + parts() - 1) / parts();
        tile_rows = (int)(tile < most ? tile : most);
        masks.reserve(tile_rows);
        const long of_group = (rows.y_columns + rows.weight_columns + 2L * rows.outputs) * rows.time + 1;
        const long in = of_floats(tile_rows * buffers[0].grid.row) + 1;
        const long shared = leads ? (4 + parts()) * size + turned_size : 0;
        memory.reserve(shared + tile_rows * of_row + groups(tile_rows) * of_group + in);
        if (leads) {
            for (V **each : {&parameters, &first, &second, &best}) *each = memory.take(size);
            for (int part = 0; part < parts(); ++part) gradients.append(memory.take(size));
            turned = memory.take(turned_size);
        }
        for (long i = 1; i < buffers.size(); ++i) {
            buffers[i].values = reinterpret_cast<Element *>(memory.take(tile_rows * buffers[i].grid.row / PER));
            buffers[i].slopes = reinterpret_cast<Element *>(memory.take(tile_rows * buffers[i].slope_grid.row / PER));
        }
        for (Plan &p : plans) p.kept = memory.take(tile_rows * keeps(p));
        y = memory.take(groups(tile_rows) * rows.time * rows.y_columns);
        weights = memory.take(groups(tile_rows) * rows.time * rows.weight_columns);
        present = memory.take(groups(tile_rows));
        for (V **each : {&output, &slope}) *each = memory.take(groups(tile_rows) * rows.time * rows.outputs);
        input = reinterpret_cast<float *>(memory.take(in));
    }

    long keeps(const Plan &p) const {  // vectors of a row
        if (p.kind == RECURRENCE) return p.shape.kept();
        if (p.kind == LAYER_NORM || p.kind == BATCH_NORM) return Normalizing<SINGLE>::keeps(p, buffers[p.to]);
        const bool keeps = p.kind == ACTIVATION || p.kind == LARGEST || p.kind == SMALLEST || p.kind == DROPOUT ||
                           (p.kind == CONVOLUTION && p.activation != CODE_linear);
        return keeps ? (long)buffers[p.to].places() * buffers[p.to].vectors : 0;
    }
};

// What is summed up over rows.
struct Sums {
    V loss, number, halves[2], weights[2], metric;

    void add(const Sums &more) {
        loss += more.loss, number += more.number, metric += more.metric;
        for (int half = 0; half < 2; ++half) halves[half] += more.halves[half], weights[half] += more.weights[half];
    }
};

// One who works on parts of batches, with buffers of its own.
template <bool SINGLE>
class NetworkWorker : protected NetworkLayout<SINGLE> {
    using Base = NetworkLayout<SINGLE>;
    using Element = typename Base::Element;

public:
    using Base::Base;

    // The gradient and the loss of some rows of a batch, the first of which is number `first` in it.
    Sums train_rows(const int32_t *indices, int count, int first, I steps, V *gradient) {
        Sums sums{};
        this->steps = steps;
        for (long i = 0; i < this->size; ++i) gradient[i] = V{};
        for (int from = 0; from < count; from += tile_rows) {
            const int tile = count - from < tile_rows ? count - from : tile_rows;
            load(rows.x, indices + from, tile, first + from, true);
            for (int g = 0; g < this->groups(tile); ++g) {
                const At at = rows_of(indices + from, g, tile);
                present[g] = only(real(g, tile), this->Lanes::present(at));
                for (int t = 0; t < rows.time; ++t) this->see(at.step(t, rows.time), present[g], y_of(g, t), weights_of(g, t));
                add_rows(sums.number, present[g]);
            }
            forward(tile, first + from, true);
            for (int g = 0; g < this->groups(tile); ++g) add_rows(sums.loss, loss(g, tile, nullptr).value);
            backward(tile, gradient);
        }
        return sums;
    }

    // Losses and the metric of some validation rows.
    Sums validate_rows(int begin, int end) {
        Sums sums{};
        List<int32_t> numbers(tile_rows);
        for (int from = begin; from < end; from += tile_rows) {
            const int tile = end - from < tile_rows ? end - from : tile_rows;
            for (int i = 0; i < tile; ++i) numbers[i] = from + i;
            load(rows.validation_x, numbers.data(), tile, from, false);
            forward(tile, from, false);
            for (int g = 0; g < this->groups(tile); ++g) {
                const At at = rows_of(numbers.data(), g, tile);
                for (int t = 0; t < rows.time; ++t)
                    this->see_validation(at, at.step(t, rows.time), y_of(g, t), weights_of(g, t));
                V hits{};
                const RowLoss each = loss(g, tile, &hits);
                I second{};
                for (int lane = 0; lane < LANES; ++lane) second[lane] = -rows.validation_half[at.of(lane)];
                for (int half = 0; half < 2; ++half) {
                    const I judged = half ? second : ~second;
                    add_rows(sums.halves[half], only(judged, each.value));
                    add_rows(sums.weights[half], only(judged, each.weight));
                }
                add_rows(sums.metric, only(real(g, tile), hits));
            }
        }
        return sums;
    }

protected:
    using Base::GROUP, Base::rows, Base::graph, Base::buffers, Base::plans, Base::tile_rows, Base::own;
    using Base::parameters, Base::y, Base::weights, Base::present, Base::output, Base::slope, Base::input;
    using At = std::conditional_t<SINGLE, RowOfEachLane, OneRow>;

private:
    static At rows_of(const int32_t *indices, int g, int tile) {
        if constexpr (SINGLE) {
            At at;
            for (int lane = 0; lane < LANES; ++lane) at.row[lane] = indices[g * LANES + lane < tile ? g * LANES + lane : tile - 1];
            return at;
        } else
            return {indices[g]};
    }

    // The lanes that hold a row: beyond the last, it is repeated.
    static I real(int g, int tile) {
        I holds = splat_int(-1);
        for (int lane = 0; SINGLE && lane < LANES; ++lane) holds[lane] = -(g * LANES + lane < tile);
        return holds;
    }

    // Of a step of a group of rows.
    V *y_of(int g, int t) const { return y + ((long)g * rows.time + t) * rows.y_columns; }
    V *weights_of(int g, int t) const { return weights + ((long)g * rows.time + t) * rows.weight_columns; }
    V *output_of(int g, int t) const { return output + ((long)g * rows.time + t) * rows.outputs; }
    V *slope_of(int g, int t) const { return slope + ((long)g * rows.time + t) * rows.outputs; }

    // Rows are added one after the other, so that a member's sums are the same in either layout.
    static void add_rows(V &sum, V each) {
        if constexpr (SINGLE) {
            float so_far = sum[0];
            for (int lane = 0; lane < LANES; ++lane) so_far += each[lane];
            sum = splat(so_far);
        } else
            sum += each;
    }

    // The input of a tile of rows, scaled, and as the member sees it while training.
    void load(const float *from, const int32_t *indices, int tile, int first, bool training) {
        const Buffer<SINGLE> &in = buffers[0];
        const Member &m = *this->members[0];
        const bool changes = SINGLE && training && changes_images(m), blurs = SINGLE && training && m.noise != 0.0f;
        for (int i = 0; i < tile; ++i) {
            const long row = (long)indices[i] * rows.inputs;
            for (int v = 0, j = 0; v < in.lines; ++v)
                for (int u = 0; u < in.columns; ++u) {
                    float *to = input + in.grid.at(i, v, u);
                    const bool real = !graph.mask_count || is_real(from, row + j, i, u);
                    for (int c = 0; c < in.channels; ++c, ++j) {
                        const float raw = rows.bytes ? (float)reinterpret_cast<const uint8_t *>(from)[row + j] : from[row + j];
                        to[c] = !real ? 0.0f : graph.subtracted ? (raw - graph.subtracted[c]) * graph.factors[c] : raw;
                    }
                }
            if (graph.mask_count) this->masks.derive(i);
            if (rows.reconstruct) keep_target(i);
            if (changes) change_image(i, first + i);
            if (blurs) add_noise(i, first + i);
        }
    }

    // Whether a step of the input, from this number on, is real.
    bool is_real(const float *from, long number, int i, int step) {
        const int count = buffers[0].channels;
        if (rows.bytes) this->masks.read(i, step, reinterpret_cast<const uint8_t *>(from) + number, count);
        else this->masks.read(i, step, from + number, count);
        return this->masks.of(1, i)[step];
    }

    // The inputs as they are before they are changed, in one line.
    void keep_target(int i) {
        const Buffer<SINGLE> &in = buffers[0];
        V *target = y + (long)(i / GROUP) * rows.y_columns;
        for (int v = 0; v < in.lines; ++v)
            for (int u = 0; u < in.columns; ++u)
                for (int c = 0; c < in.channels; ++c, ++target) {
                    const float x = input[in.grid.at(i, v, u) + c];
                    if constexpr (SINGLE) set_lane(*target, i % GROUP, x);
                    else *target = splat(x);
                }
    }

    // Normal numbers by Box and Muller's transform: the first half of those of a batch are cosines, the other sines.
    void add_noise(int i, int row) {
        const Buffer<SINGLE> &in = buffers[0];
        const uint32_t half = ((uint32_t)rows.batch * (uint32_t)rows.inputs + 1u) / 2u, pairs = (half + 1u) / 2u;
        const uint32_t behind = pairs > 65536u ? pairs : 65536u;
        const U when = (U)this->steps * 256u + (uint32_t)rows.source;
        const float noise = this->members[0]->noise;
        V normal{};
        for (int j = 0; j < rows.inputs; ++j) {
            if (j % LANES == 0) {
                U number = splat_bits((uint32_t)row * (uint32_t)rows.inputs + (uint32_t)j);
                for (int lane = 1; lane < LANES; ++lane) number[lane] += (uint32_t)lane;
                const I sines = (I)(number >= half);
                number -= half & (U)sines;
                const V radius = root(-2.0f * log_one_plus(-uniform_of(number, 0u, when)));
                const V turn = uniform_of(number, behind, when) - only(sines, splat(0.25f));
                normal = radius * cosine_of_turns(select(turn < 0.0f, turn + 1.0f, turn));
            }
            const int place = j / in.channels;
            input[in.grid.at(i, place / in.columns, place % in.columns) + j % in.channels] += noise * normal[j % LANES];
        }
    }

    V uniform_of(U number, uint32_t from, U when) const {
        const Words words = threefry(own.key, number / 2u + from, when);
        return to_uniform((I)(number & 1u) != 0 ? words.second : words.first);
    }

    static bool changes_images(const Member &m) {
        return m.shift != 0.0f || m.flip != 0.0f || m.rotation != 0.0f || m.zoom != 0.0f;
    }

    // The map of shoal/training/augmentation.py from each pixel to a place in the image, read by linear interpolation.
    void change_image(int i, int row) {
        const Buffer<SINGLE> &in = buffers[0];
        const Member &m = *this->members[0];
        U where{};
        for (int lane = 0; lane < 3; ++lane) where[lane] = (uint32_t)row * 65536u + (uint32_t)lane;
        const Words words = threefry(own.key, where, (U)this->steps * 256u + (uint32_t)rows.source);
        const V even = to_uniform(words.first), odd = to_uniform(words.second);
        const float draws[5] = {even[0], odd[0], even[1], odd[1], even[2]};
        const auto spread = [&](int k) { return 2.0f * draws[k] - 1.0f; };
        const float zoom = 1.0f + m.zoom * spread(4), angle = m.rotation * 0.017453292519943295f * spread(3);
        const float cos = __builtin_cosf(angle) / zoom, sin = __builtin_sinf(angle) / zoom;
        const float mirror = draws[2] < 0.5f * m.flip ? -1.0f : 1.0f;
        const float middle_y = 0.5f * (float)(in.lines - 1), middle_x = 0.5f * (float)(in.columns - 1);
        float *to = this->image.data();
        for (int v = 0; v < in.lines; ++v)
            for (int u = 0; u < in.columns; ++u) {
                const float down = (float)v - middle_y, right = (float)u - middle_x;
                const Between y_at(cos * down - sin * right - m.shift * spread(0) + middle_y, in.lines);
                const Between x_at(mirror * (sin * down + cos * right - m.shift * spread(1)) + middle_x, in.columns);
                for (int c = 0; c < in.channels; ++c, ++to) {
                    const auto at = [&](int line, int column) { return input[in.grid.at(i, line, column) + c]; };
                    const float upper = at(y_at.first, x_at.first) * (1.0f - x_at.share) + at(y_at.first, x_at.second) * x_at.share;
                    const float lower = at(y_at.second, x_at.first) * (1.0f - x_at.share) + at(y_at.second, x_at.second) * x_at.share;
                    *to = upper * (1.0f - y_at.share) + lower * y_at.share;
                }
            }
        to = this->image.data();
        for (int v = 0; v < in.lines; ++v)
            for (int u = 0; u < in.columns; ++u)
                for (int c = 0; c < in.channels; ++c) input[in.grid.at(i, v, u) + c] = *to++;
    }

    // The pixels before and behind a place, and how far it lies from the former.
    struct Between {
        int first, second;
        float share;
        Between(float at, int size) {
            at = at < 0.0f ? 0.0f : at > (float)(size - 1) ? (float)(size - 1) : at;
            first = (int)at;
            second = first + 1 < size ? first + 1 : size - 1;
            share = at - (float)first;
        }
    };

    void forward(int tile, int from, bool training) {
        for (const Plan &p : plans) {
            const Buffer<SINGLE> &in = buffers[p.from], &out = buffers[p.to];
            switch (p.kind) {
                case CONVOLUTION:
                    if (p.from == 0) this->convolve(p, in, (const float *)input, out, parameters, tile, training);
                    else this->convolve(p, in, (const Element *)in.values, out, parameters, tile, training);
                    break;
                case ACTIVATION: this->activate(p, in, out, tile, training); break;
                case REPEAT: this->repeat(p, in, out, tile); break;
                case DROPOUT: this->drop(p, in, out, own, this->steps, tile, from, training, rows.time > 1); break;
                case SUM: this->add(in, buffers[p.with], out, tile); break;
                case PRODUCT:
                case AVERAGE: this->merge(p, in, buffers[p.with], out, tile); break;
                case JOIN: this->join(in, buffers[p.with], out, tile); break;
                case LAYER_NORM: this->normalise_places(p, in, out, parameters, tile); break;
                case BATCH_NORM: this->normalise_batch(p, in, out, parameters, tile, training, present, this->masks); break;
                case RECURRENCE:
                    if (p.from == 0) this->recur(p, in, (const float *)input, out, parameters, tile, this->masks);
                    else this->recur(p, in, (const Element *)in.values, out, parameters, tile, this->masks);
                    break;
                case MOVE:
                    if (p.from == 0) this->move(in, (const float *)input, out, tile);
                    else this->move(in, (const Element *)in.values, out, tile);
                    break;
                default: this->pool(p, in, out, tile, training, this->masks);
            }
        }
        for (int g = 0; g < this->groups(tile); ++g)
            for (int t = 0; t < rows.time; ++t) gather_outputs(g, t, tile);
    }

    void gather_outputs(int g, int t, int tile) {
        V *z = output_of(g, t);
        for (int j = 0; j < rows.outputs; ++j) {
            const int at = t * rows.outputs + j;
            if constexpr (SINGLE)
                for (int lane = 0; lane < LANES; ++lane)
                    z[j][lane] = this->last().value(g * LANES + lane < tile ? g * LANES + lane : tile - 1, at);
            else
                z[j] = this->last().value(g, at);
        }
        apply_head(rows.head, rows.outputs, z);
    }

    // The mean over the steps that have targets; `hits` becomes that of the weighted metric.
    RowLoss loss(int g, int tile, V *hits) {
        const float share = 1.0f / (float)rows.time;
        RowLoss found{};
        for (int t = 0; t < rows.time; ++t) {
            const V *z = output_of(g, t);
            V *to = slope_of(g, t);
            const RowLoss step = loss_of_row(rows, y_of(g, t), z, weights_of(g, t), own.huber_delta, to);
            through_head(rows.head, rows.outputs, z, to);
            for (int j = 0; j < rows.outputs; ++j) to[j] *= share;
            found.value += step.value * share, found.weight += step.weight * share;
            if (hits) *hits += step.weight * share * metric_of_row(rows, y_of(g, t), z);
        }
        found.value = only(real(g, tile), found.value), found.weight = only(real(g, tile), found.weight);
        return found;
    }

    void scatter_slopes(int g, int t, int tile) {
        const V *from = slope_of(g, t);
        for (int j = 0; j < rows.outputs; ++j) {
            const int at = t * rows.outputs + j;
            if constexpr (SINGLE)
                for (int lane = 0; lane < LANES && g * LANES + lane < tile; ++lane)
                    this->last().slope(g * LANES + lane, at) = from[j][lane];
            else
                this->last().slope(g, at) = from[j];
        }
    }

    void backward(int tile, V *gradient) {
        for (int g = 0; g < this->groups(tile); ++g)
            for (int t = 0; t < rows.time; ++t) scatter_slopes(g, t, tile);
        for (long i = plans.size(); i-- > 0;) {
            const Plan &p = plans[i];
            const Buffer<SINGLE> &in = buffers[p.from], &out = buffers[p.to];
            if (p.from == 0 && p.kind != CONVOLUTION && p.kind != RECURRENCE) continue;  // nobody needs slopes in the inputs
            switch (p.kind) {
                case CONVOLUTION:
                    if (p.activation != CODE_linear) this->through_activation(p, out, out, tile);
                    if (p.from == 0) {
                        this->slopes_of_weights(p, in, (const float *)input, out, gradient, tile);
                    } else {
                        this->slopes_of_weights(p, in, (const Element *)in.values, out, gradient, tile);
                        this->slopes_of_input(p, in, out, tile);
                    }
                    break;
                case ACTIVATION: this->through_activation(p, in, out, tile); break;
                case REPEAT: this->through_repeat(p, in, out, tile); break;
                case DROPOUT: this->hand_back(in, out, p.adds, tile, p.kept); break;
                case SUM:
                    this->hand_back(in, out, p.adds, tile);
                    this->hand_back(buffers[p.with], out, p.adds_with, tile);
                    break;
                case PRODUCT:
                case AVERAGE:
                    this->through_merge(p, in, buffers[p.with], out, p.adds, tile);
                    this->through_merge(p, buffers[p.with], in, out, p.adds_with, tile);
                    break;
                case JOIN:
                    this->through_join(in, out, 0, p.adds, tile);
                    this->through_join(buffers[p.with], out, in.channels, p.adds_with, tile);
                    break;
                case LAYER_NORM: this->through_places(p, in, out, parameters, gradient, tile); break;
                case BATCH_NORM: this->through_batch(p, in, out, parameters, gradient, tile, present, this->masks); break;
                case RECURRENCE:
                    if (p.from == 0) this->through_recurrence(p, in, (const float *)input, out, gradient, tile, this->masks);
                    else this->through_recurrence(p, in, (const Element *)in.values, out, gradient, tile, this->masks);
                    break;
                case MOVE: this->through_move(p, in, out, tile); break;
                default: this->through_pool(p, in, out, tile, this->masks);
            }
        }
    }
};

// The chunk of epochs; the first of the workers holds what they share.
template <bool SINGLE>
class NetworkTraining : NetworkWorker<SINGLE> {
    using Base = NetworkWorker<SINGLE>;
    using Base::rows, Base::plans, Base::parameters, Base::gradients, Base::own;

public:
    NetworkTraining(const Rows &rows, Member *const *members, int count, Team &team)
        : Base(rows, members, count), team(team), sums(this->parts()) {
        workers.append(this);
        for (int i = 1; i < team.size() && i < this->parts(); ++i) workers.append(new Base(rows, members, count, this));
    }
    ~NetworkTraining() {
        for (long i = 1; i < workers.size(); ++i) delete workers[i];
    }

    void run(int turn, int epochs) {
        for (int i = 0; i < epochs && any(this->status == RUNNING); ++i)
            train_epoch(rows.orders + (long)((turn + i) % rows.order_count) * rows.steps * rows.batch, i);
        this->template move_parameters<false>();
        this->write_progress();
    }

private:
    Team &team;
    List<Base *> workers;
    List<Sums> sums;  // of each part
    const int32_t *indices = nullptr;  // of a batch; null: validation rows
    int count = 0;                     // of its rows
    I before{};                        // steps that were taken before it; the first worker sets its own meanwhile

    void train_epoch(const int32_t *order, int number) {
        V total{}, seen{};
        this->running = this->status == RUNNING;
        for (int step = 0; step < rows.steps; ++step) train_batch(order + (long)step * rows.batch, total, seen);
        V curves[5] = {total / seen};
        validate(curves + 1);
        const I better = this->judge(curves[0], curves[1]);
        if (any(better))
            for (long i = 0; i < this->size; ++i) this->best[i] = select(better, parameters[i], this->best[i]);
        this->write_curves(curves, number);
    }

    // All parts, by as many workers as there are.
    Sums work_on(const int32_t *what, int how_many) {
        indices = what, count = how_many, before = this->steps;
        const auto work = [](void *training, int worker, int part) {
            static_cast<NetworkTraining *>(training)->work_on_part(worker, part);
        };
        if (workers.size() > 1)
            team.run(this->parts(), work, this);
        else
            for (int part = 0; part < this->parts(); ++part) work_on_part(0, part);
        Sums all = sums[0];
        for (int part = 1; part < this->parts(); ++part) all.add(sums[part]);
        return all;
    }

    void work_on_part(int worker, int part) {
        const int begin = this->part_begin(count, part, this->parts()), end = this->part_begin(count, part + 1, this->parts());
        sums[part] = indices ? workers[worker]->train_rows(indices + begin, end - begin, begin, before, gradients[part])
                             : workers[worker]->validate_rows(begin, end);
    }

    void train_batch(const int32_t *batch, V &total, V &seen) {
        int filled = 0;
        while (filled < rows.batch && batch[filled] >= 0) ++filled;
        if (!filled) return;
        this->turn_weights();
        const Sums all = work_on(batch, filled);
        for (int part = 1; part < this->parts(); ++part)
            for (long i = 0; i < this->size; ++i) gradients[0][i] += gradients[part][i];
        const V mean = all.loss / maximum(all.number, splat(1.0f));
        const Step step = this->step_of(mean, all.number);
        take_step_of(step);
        for (const Plan &p : plans)
            if (p.kind == BATCH_NORM && p.trained) this->follow_batch(p, this->buffers[p.to], parameters, step.active);
        total += only(all.number > 0.0f, this->finished(mean) * all.number);
        seen += all.number;
    }

    // The validation loss, that of each half, and the metric.
    void validate(V *found) {
        const Sums s = work_on(nullptr, rows.validation_rows);
        const V least = splat(1e-12f), all = s.weights[0] + s.weights[1];
        found[0] = this->finished((s.halves[0] + s.halves[1]) / all);
        for (int half = 0; half < 2; ++half) found[1 + half] = this->finished(s.halves[half] / maximum(s.weights[half], least));
        found[3] = s.metric / all;
    }

    void take_step_of(const Step &of_all) {
        const Vectors vectors{parameters, this->first, this->second, gradients[0]};
        this->update(of_all, [&](int code, const Step &step) {
            for (const Plan &p : plans) {
                if (!p.trained) continue;
                const long count = p.biases - p.weights;  // none of an operation without weights
                if (this->penalised)
                    take_step<true>(code, vectors, p.weights, count, this->l2_of_weight, this->l1_of_weight, step, own);
                else
                    take_step<false>(code, vectors, p.weights, count, V{}, V{}, step, own);
                if (p.bias) take_step<false>(code, vectors, p.biases, p.bias_vectors, V{}, V{}, step, own);
            }
        });
    }
};
