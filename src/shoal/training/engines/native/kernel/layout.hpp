// Networks of any layers: how operations and buffers are laid down.

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
        for (Plan &p : plans) find_masks(p);
        for (long i = 0; i < buffers.size(); ++i) {
            const long elements = i ? (long)buffers[i].vectors * PER : buffers[i].channels;
            buffers[i].grid = buffers[i].border.around(buffers[i], elements, i ? PER : LANES);
            buffers[i].slope_grid = buffers[i].slope_border.around(buffers[i], elements, PER);
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

    // Without orders of the rows, weights stay as they are: no slopes have room.
    bool trains() const { return rows.orders; }
    const Buffer<SINGLE> &last() const { return buffers[plans.last().to]; }
    // Parts of a batch have gradients of their own, added in their order, whoever works on them.
    int parts() const { return !trains() || has(BATCH_NORM) || rows.batch < 32 ? 1 : rows.batch < 64 ? 2 : 4; }
    bool has(int kind) const {
        for (const Plan &p : plans)
            if (p.kind == kind) return true;
        return false;
    }
    long end_of(long plan) const { return plan + 1 < plans.size() ? plans[plan + 1].weights : size; }  // of its parameters
    static int part_begin(int rows, int part, int parts) { return (int)((long)rows * part / parts); }
    static long groups(int tile) { return (tile + GROUP - 1) / GROUP; }

    // Between the members' own arrays and the lanes.
    template <bool IN>
    void move_parameters() {
        for (int lane = 0; lane < (SINGLE ? 1 : count); ++lane) {
            const Member &m = *members[lane];
            float *const theirs[] = {m.parameters, m.first, m.second, m.best};
            V *const ours[] = {parameters, first, second, best};
            for (int kind = 0; kind < (trains() ? 4 : 1); ++kind) {
                float *at = theirs[kind];
                const auto move = [&, lane, kind](long vector, int channels) {
                    float *const here = reinterpret_cast<float *>(&ours[kind][vector]) + (SINGLE ? 0 : lane);
                    const long count = SINGLE ? channels : 1;
                    __builtin_memcpy(IN ? here : at, IN ? at : here, count * sizeof(float));
                    at += count;
                };
                for (const Plan &p : plans) for_parameters(p, move);
            }
        }
    }

    // How many pieces of the weights of an operation are turned apart: one for each vector of its inputs.
    int pieces_to_turn(const Plan &p) const {
        return p.kind == RECURRENCE ? 1 : p.kind == CONVOLUTION && p.from ? buffers[p.from].vectors : 0;
    }

    // The weights by which slopes go back, the window turned about its middle.
    void turn_weights(const Plan &p, int piece) {
        if (p.kind == RECURRENCE) return this->turn(p, parameters, turned);
        const Buffer<SINGLE> &from = buffers[p.from], &to = buffers[p.to];
        const int places = p.window[0] * p.window[1], wide = width_of_strip(from.vectors, piece);
        const long depth = p.at_once ? to.channels : (long)places * to.channels;
        for (int place = 0; place < places; ++place) {
            const long k = p.at_once ? 0 : (long)(places - 1 - place) * to.channels;
            V *const into = turned + p.turned + (p.at_once ? place * depth * from.vectors : 0) + in_strips(depth, from.vectors, k, piece);
            for (int j = 0; j < to.vectors; ++j) {
                const V *const weights = parameters + p.weights + in_strips(p.factors, to.vectors, (long)place * from.channels + piece * PER, j);
                if constexpr (SINGLE) {
                    V block[LANES];
                    for (int c = 0; c < LANES; ++c)
                        block[c] = piece * LANES + c < from.channels ? weights[c * width_of_strip(to.vectors, j)] : V{};
                    transpose(block);
                    for (int lane = 0; lane < LANES && j * LANES + lane < to.channels; ++lane)
                        into[(long)(j * LANES + lane) * wide] = block[lane];
                } else
                    into[(long)j * wide] = *weights;
            }
        }
    }

private:
    Memory memory;

    void plan(Plan &p, const Operation &operation) {
        static_cast<Operation &>(p) = operation;
        p.weights = p.biases = size;
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

    // Where the numbers of a member stand, in their order: `visit(vector, channels)`, so many of them from its first on.
    template <class Visit>
    void for_parameters(const Plan &p, const Visit &visit) const {
        const int channels = buffers[p.to].channels, vectors = buffers[p.to].vectors;
        const auto in = [channels](int vector) { return channels - vector * PER < PER ? channels - vector * PER : PER; };
        if (p.kind == RECURRENCE) Recurrence<SINGLE>::for_parameters(p, visit);
        const int normal = p.kind == LAYER_NORM ? p.scale + p.center : p.kind == BATCH_NORM ? p.scale + p.center + 2 : 0;
        for (int j = 0; j < normal * vectors; ++j) visit(p.biases + j, in(j % vectors));
        if (p.kind != CONVOLUTION) return;
        for (long k = 0; k < p.factors; ++k)
            for (int j = 0; j < vectors; ++j) visit(p.weights + in_strips(p.factors, vectors, k, j), in(j));
        for (int j = 0; p.bias && j < vectors; ++j) visit(p.biases + j, in(j));
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

    // Runs of one line of a window that lie side by side are one.
    static void extend(List<Run> &runs, long from, int length, bool begins) {
        if (!begins && runs.last().from + runs.last().length == from)
            runs.last().length += length;
        else
            runs.append({from, length});
    }

    void find_runs(Plan &p) {
        const Buffer<SINGLE> &from = buffers[p.from], &to = buffers[p.to];
        for (int v = 0; v < p.window[0]; ++v)
            for (int u = 0; u < p.window[1]; ++u) {
                const long at = v * (long)p.dilation[0] * from.grid.line + u * (long)p.dilation[1] * from.grid.step;
                extend(p.runs, at, from.channels, u == 0);
                for (int c = 0; c < from.channels; ++c) p.distances.append(at + c);
            }
        if (p.at_once) return p.slope_runs.append({0, to.channels});
        const long line = to.slope_grid.line / p.strides[0], step = to.slope_grid.step / p.strides[1];
        for (int v = p.window[0]; v-- > 0;)
            for (int u = p.window[1]; u-- > 0;)
                extend(p.slope_runs, (p.before[0] - v * (long)p.dilation[0]) * line + (p.before[1] - u * (long)p.dilation[1]) * step,
                       to.channels, u == p.window[1] - 1);
    }

    // Where a pooling alone takes what a ReLU shows, the largest is above zero where it is open.
    void find_masks(Plan &p) {
        if (p.mask || (p.kind != LARGEST && p.kind != SMALLEST)) return;
        int takers = 0;
        for (const Plan &each : plans) takers += (each.from == p.from) + (each.with == p.from);
        for (Plan &before : plans)
            if (before.to == p.from && before.kind == CONVOLUTION && before.rectifies() && takers == 1) p.masks = before.masked = true;
    }

    static long of_floats(long floats) { return (floats + LANES - 1) / LANES; }

    void place(bool leads) {
        long of_row = 0;
        for (long i = 1; i < buffers.size(); ++i) of_row += (buffers[i].grid.row + slopes_of(i)) / PER;
        for (const Plan &p : plans) of_row += keeps(p);
        constexpr long CACHE = 1 << 20;
        const bool whole = trains() && has(BATCH_NORM);
        const long fewest = whole ? rows.batch : !has(RECURRENCE) ? 4 : SINGLE ? 16 : 6;  // rows that share
        long tile = CACHE / (long)sizeof(V) / (of_row + 1);
        if (tile < fewest) tile = fewest;
        if (tile > LANES && !whole) tile = tile / LANES * LANES;
        const long most = (rows.batch + parts() - 1) / parts();
        tile_rows = (int)(tile < most ? tile : most);
        masks.reserve(tile_rows);
        const long of_group = (rows.y_columns + rows.weight_columns + 2L * rows.outputs) * rows.time + 1;
        const long in = of_floats(tile_rows * buffers[0].grid.row) + 1;
        const long turns = trains() ? turned_size : 0, shared = !leads ? 0 : trains() ? (4 + parts()) * size + turns : size;
        memory.reserve(shared + tile_rows * of_row + groups(tile_rows) * of_group + in);
        if (leads) {
            parameters = memory.take(size);
            for (V **each : {&first, &second, &best}) *each = memory.take(trains() ? size : 0);
            for (int part = 0; trains() && part < parts(); ++part) gradients.append(memory.take(size));
            turned = memory.take(turns);
        }
        for (long i = 1; i < buffers.size(); ++i) {
            buffers[i].values = reinterpret_cast<Element *>(memory.take(tile_rows * buffers[i].grid.row / PER));
            buffers[i].slopes = reinterpret_cast<Element *>(memory.take(tile_rows * slopes_of(i) / PER));
        }
        for (Plan &p : plans) p.kept = memory.take(tile_rows * keeps(p));
        y = memory.take(groups(tile_rows) * rows.time * rows.y_columns);
        weights = memory.take(groups(tile_rows) * rows.time * rows.weight_columns);
        present = memory.take(groups(tile_rows));
        for (V **each : {&output, &slope}) *each = memory.take(groups(tile_rows) * rows.time * rows.outputs);
        input = reinterpret_cast<float *>(memory.take(in));
    }

    long slopes_of(long buffer) const { return trains() ? buffers[buffer].slope_grid.row : 0; }  // of a row

    long keeps(const Plan &p) const {  // vectors of a row
        if (p.kind == RECURRENCE) return p.shape.kept();
        if (p.kind == LAYER_NORM || p.kind == BATCH_NORM) return Normalizing<SINGLE>::keeps(p, buffers[p.to]);
        if (!trains()) return 0;
        const bool keeps = p.kind == LARGEST || p.kind == SMALLEST || p.kind == DROPOUT ||
                           ((p.kind == CONVOLUTION || p.kind == ACTIVATION) && p.activation != CODE_linear && !p.rectifies());
        return keeps ? (long)buffers[p.to].places() * buffers[p.to].vectors : 0;
    }
};
