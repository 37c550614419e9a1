// Recurrent layers. What the inputs of all steps give is one product before the recurrence, the slopes of the weights are
// one after it, and each step multiplies the state of all rows of the tile with the gates side by side.
//
// A place of the gates holds them by blocks of units; in a block, each gate's units lie side by side. GRU has a fourth
// slot: what the state gives to the new one, so that both products have contiguous columns: (new, update, reset) of the
// inputs, (update, reset, new) of the state. Channels are summed in this order in both layouts.

template <bool SINGLE>
struct Recurrence : Normalizing<SINGLE> {
    using Normalizing<SINGLE>::tile_rows;
    using Element = ElementOf<SINGLE>;
    using Of = Buffer<SINGLE>;
    static constexpr int PER = SINGLE ? LANES : 1;

    static CellShape shape_of(const Operation &p, const Of &from, const Of &to) {
        CellShape s;
        s.steps = from.columns, s.features = from.channels, s.units = to.channels, s.vectors = to.vectors;
        s.gates = p.cell == SIMPLE_CELL ? 1 : p.cell == LSTM_CELL ? 4 : 3;
        s.slots = p.cell == GRU_CELL ? 4 : s.gates;
        s.state_slot = p.cell == GRU_CELL ? 1 : 0;
        s.per_block = s.gates == 1 ? s.vectors : SINGLE ? 1 : LANES;
        s.states = p.cell == LSTM_CELL ? 2 : 1;
        return s;
    }

    static void find_runs(Plan &p) {
        const CellShape &s = p.shape;
        for (int b = 0; b < s.blocks(); ++b) {
            const int length = s.gates * s.wide(b) * PER;
            p.slope_runs.append({s.begin(b) * PER, length});
            p.state_runs.append({(s.begin(b) + s.state_slot * s.wide(b)) * PER, length});
        }
        p.runs.append({0, s.features}), p.runs.append({0, s.units});
        for (int k = 0; k < (s.features > s.units ? s.features : s.units); ++k) p.distances.append(k);
    }

    // Where the numbers of a member stand, in their order: `visit(vector, lane)`.
    template <class Visit>
    static void for_parameters(const Plan &p, const Visit &visit) {
        const CellShape &s = p.shape;
        for (int part = 0; part < 2; ++part) {
            const int depth = part ? s.units : s.features;
            for (int k = 0; k < depth; ++k)
                for (int i = 0; i < s.gates * s.units; ++i) {
                    const auto [b, column, lane] = column_of(s, i, part);
                    const long within = in_strips(depth, s.gates * s.wide(b), k, column);
                    visit((part ? p.recurrent : p.weights) + depth * s.column(b) + within, lane);
                }
        }
        for (int part = 0; p.bias && part < (p.cell == GRU_CELL ? 2 : 1); ++part)
            for (int i = 0; i < s.gates * s.units; ++i) {
                const auto [b, column, lane] = column_of(s, i, part);
                visit(p.biases + part * s.gates * s.vectors + s.column(b) + column, lane);
            }
    }

    // The weights by which slopes go back: those of the inputs, or of the state.
    static void turn(const Plan &p, bool of_state, const V *parameters, V *turned) {
        const CellShape &s = p.shape;
        const int depth = of_state ? s.units : s.features, vectors = (depth + PER - 1) / PER;
        const V *const from = parameters + (of_state ? p.recurrent : p.weights);
        V *const to = turned + (of_state ? p.turned_recurrent : p.turned);
        for (int b = 0; b < s.blocks(); ++b)
            for (int column = 0; column < s.gates * s.wide(b); ++column)
                for (int k = 0; k < depth; ++k) {
                    const V weight = from[depth * s.column(b) + in_strips(depth, s.gates * s.wide(b), k, column)];
                    const long row = PER * (s.column(b) + column);
                    if constexpr (SINGLE)
                        for (int lane = 0; lane < LANES; ++lane)
                            set_lane(to[in_strips(s.depth(PER), vectors, row + lane, k / PER)], k % PER, weight[lane]);
                    else
                        to[in_strips(s.depth(PER), vectors, row, k)] = weight;
                }
    }

    template <class A>
    void recur(const Plan &p, const Of &from, const A *input, const Of &to, const V *parameters, int tile, const StepMasks &masks) const {
        const CellShape &s = p.shape;
        const Scratch at(p, tile_rows);
        Window<A> w{};
        w.runs = p.runs.data(), w.run_count = 1, w.start = FROM_BIAS, w.a_row = from.grid.step, w.c_row = s.place();
        for (int r = 0; r < tile; ++r)
            for (int b = 0; b < s.blocks(); ++b) {
                w.a = input + from.grid.at(r, 0, 0), w.c = at.gates + r * s.row() + s.begin(b);
                w.b = parameters + p.weights + s.features * s.column(b), w.bias = parameters + p.biases + s.column(b);
                windows(s.steps, s.gates * s.wide(b), s.features, w);
            }
        for (int r = 0; r < tile; ++r)
            for (int j = 0; j < s.vectors; ++j) {
                at.hidden[r * s.state_row() + j] = V{};
                if (s.states == 2) at.cells[r * s.state_row() + j] = V{};
            }
        with_cell(p, [&](auto cell, const auto &squash) {
            for (int step = 0; step < s.steps; ++step) {
                multiply_state(p, at, parameters, tile, step);
                for (int r = 0; r < tile; ++r) {
                    const uint8_t *const real = masks.of(p.mask, r);
                    const int place = p.backwards ? s.steps - 1 - step : step;
                    const bool skipped = real && !real[place];
                    if (skipped) repeat_state(s, at, r, step);
                    else for_units(s, at, r, step, place, [&](const CellAt &each) { cell_forward<cell()>(squash, each); });
                    if (p.sequences) hand_on(p, at, to, r, step, skipped && p.zeroes);
                }
            }
        });
        for (int r = 0; r < tile && !p.sequences; ++r) {
            const V *const last = at.hidden + r * s.state_row() + (long)s.steps * s.vectors;
            for (int j = 0; j < s.vectors; ++j) to.value(r, 0, 0)[j] = last[j];
        }
    }

    template <class A>
    void through_recurrence(const Plan &p, const Of &from, const A *input, const Of &to, V *gradient, int tile, const StepMasks &masks) const {
        const CellShape &s = p.shape;
        const Scratch at(p, tile_rows);
        for (int r = 0; r < tile; ++r)
            for (int j = 0; j < s.vectors; ++j) {
                at.slopes[r * s.slope_row() + j] = p.sequences ? V{} : to.slope(r, 0, 0)[j];
                at.slopes[r * s.slope_row() + s.vectors + j] = V{};
            }
        with_cell(p, [&](auto cell, const auto &squash) {
            for (int step = s.steps; step-- > 0;) {
                const int place = p.backwards ? s.steps - 1 - step : step;
                for (int r = 0; r < tile; ++r) {
                    const uint8_t *const real = masks.of(p.mask, r);
                    const bool skipped = real && !real[place];
                    if (p.sequences && !(skipped && p.zeroes)) take_slopes(p, at, to, r, step);
                    if (skipped) clear_gates(s, at, r, place);
                    else for_units(s, at, r, step, place, [&](const CellAt &each) { cell_backward<cell()>(squash, each); });
                }
                if (step) slopes_of_state(p, at, tile, place);
            }
        });
        for (int r = 0; r < tile; ++r) slopes_of_parameters(p, at, from, input, gradient, r);
        if constexpr (std::is_same_v<A, Element>)
            if (p.from) slopes_of_inputs(p, at, from, tile);
    }

private:
    // Parts of what is kept of all rows of a tile.
    struct Scratch {
        V *gates, *hidden, *cells, *slopes, *product;
        Scratch(const Plan &p, int rows) {
            const CellShape &s = p.shape;
            gates = p.kept, hidden = gates + rows * s.row(), cells = hidden + rows * s.state_row();
            slopes = cells + (s.states - 1) * rows * s.state_row(), product = slopes + rows * s.slope_row();
        }
    };

    struct Column {
        int block, column, lane;
    };

    // Where one of the numbers of all gates stands, in Keras' order, among the columns of the inputs or of the state.
    static Column column_of(const CellShape &s, int number, bool of_state) {
        const int gate = number / s.units, unit = number % s.units, vector = unit / PER, b = vector / s.per_block;
        const int place = s.gates == 3 && !of_state ? (gate + 1) % 3 : gate;
        return {b, place * s.wide(b) + vector % s.per_block, unit % PER};
    }

    // Calls `each(cell, squash)`, the former a constant.
    template <class Each>
    static void with_cell(const Plan &p, const Each &each) {
        const bool usual = p.activation == CODE_tanh && (p.cell == SIMPLE_CELL || p.gate == CODE_sigmoid);
        const auto with = [&](const auto &squash) {
            if (p.cell == SIMPLE_CELL) each(std::integral_constant<int, SIMPLE_CELL>(), squash);
            else if (p.cell == LSTM_CELL) each(std::integral_constant<int, LSTM_CELL>(), squash);
            else each(std::integral_constant<int, GRU_CELL>(), squash);
        };
        if (usual) with(Squashing<true>{p.activation, p.gate});
        else with(Squashing<false>{p.activation, p.gate});
    }

    template <class Each>
    INLINE void for_units(const CellShape &s, const Scratch &at, int r, int step, int place, const Each &each) {
        V *const gates = at.gates + r * s.row() + place * s.place(), *const product = at.product + r * s.product_row();
        V *const hidden = at.hidden + r * s.state_row() + (long)step * s.vectors;
        V *const cells = at.cells + r * s.state_row() + (long)step * s.vectors, *const slopes = at.slopes + r * s.slope_row();
        for (int b = 0, j = 0; b < s.blocks(); ++b)
            for (int i = 0; i < s.wide(b); ++i, ++j)
                each({gates + s.begin(b) + i, product + s.column(b) + i, s.wide(b), hidden + j, hidden + s.vectors + j, cells + j,
                      cells + s.vectors + j, slopes + j, slopes + s.vectors + j});
    }

    // What the state before a step gives to its gates.
    static void multiply_state(const Plan &p, const Scratch &at, const V *parameters, int tile, int step) {
        const CellShape &s = p.shape;
        const V *const biases = parameters + p.biases + s.gates * s.vectors;  // of GRU's state
        Window<Element> w{};
        w.runs = p.runs.data() + 1, w.run_count = 1, w.start = p.cell == GRU_CELL ? FROM_BIAS : FROM_ZERO;
        w.a = reinterpret_cast<const Element *>(at.hidden + (long)step * s.vectors);
        w.a_row = s.state_row() * PER, w.c_row = s.product_row();
        for (int b = 0; step && b < s.blocks(); ++b) {
            w.b = parameters + p.recurrent + s.units * s.column(b), w.c = at.product + s.column(b);
            w.bias = p.cell == GRU_CELL ? biases + s.column(b) : w.b;
            windows(tile, s.gates * s.wide(b), s.units, w);
        }
        for (int r = 0; !step && r < tile; ++r)
            for (int j = 0; j < s.gates * s.vectors; ++j)
                at.product[r * s.product_row() + j] = p.cell == GRU_CELL ? biases[j] : V{};
    }

    static void repeat_state(const CellShape &s, const Scratch &at, int r, int step) {
        const long here = r * s.state_row() + (long)step * s.vectors;
        for (int j = 0; j < s.vectors; ++j) {
            at.hidden[here + s.vectors + j] = at.hidden[here + j];
            if (s.states == 2) at.cells[here + s.vectors + j] = at.cells[here + j];
        }
    }

    static void hand_on(const Plan &p, const Scratch &at, const Of &to, int r, int step, bool zero) {
        const CellShape &s = p.shape;
        const V *const state = at.hidden + r * s.state_row() + (step + 1L) * s.vectors;
        V *const into = to.value(r, 0, p.flips ? s.steps - 1 - step : step);
        for (int j = 0; j < s.vectors; ++j) into[j] = zero ? V{} : state[j];
    }

    static void take_slopes(const Plan &p, const Scratch &at, const Of &to, int r, int step) {
        const CellShape &s = p.shape;
        const V *const from = to.slope(r, 0, p.flips ? s.steps - 1 - step : step);
        for (int j = 0; j < s.vectors; ++j) at.slopes[r * s.slope_row() + j] += from[j];
    }

    static void clear_gates(const CellShape &s, const Scratch &at, int r, int place) {
        V *const gates = at.gates + r * s.row() + place * s.place();
        for (int j = 0; j < s.slots * s.vectors; ++j) gates[j] = V{};
    }

    void slopes_of_state(const Plan &p, const Scratch &at, int tile, int place) const {
        const CellShape &s = p.shape;
        Window<Element> w{};
        w.runs = p.state_runs.data(), w.run_count = s.blocks(), w.start = FROM_BEFORE;
        w.a = reinterpret_cast<const Element *>(at.gates + place * s.place()), w.a_row = s.row() * PER;
        w.b = w.bias = this->weights_of_slopes + p.turned_recurrent, w.c = at.slopes, w.c_row = s.slope_row();
        windows(tile, s.vectors, s.depth(PER), w);
    }

    // Sums go on row by row, so that they do not depend on the rows of a tile.
    template <class A>
    static void slopes_of_parameters(const Plan &p, const Scratch &at, const Of &from, const A *input, V *gradient, int r) {
        const CellShape &s = p.shape;
        const V *const gates = at.gates + r * s.row();
        const Element *const states = reinterpret_cast<const Element *>(at.hidden + r * s.state_row() + s.vectors);
        const long way = p.backwards ? -s.place() : s.place();
        for (int b = 0; b < s.blocks(); ++b) {
            const V *const slots = gates + s.begin(b), *const of_state = slots + s.state_slot * s.wide(b);
            const int columns = s.gates * s.wide(b);
            correlate(p, s.features, columns, s.steps, input + from.grid.at(r, 0, 0), from.grid.step, slots, s.place(),
                      gradient + p.weights + s.features * s.column(b));
            correlate(p, s.units, columns, s.steps - 1, states, (long)s.vectors * PER,
                      of_state + (p.backwards ? s.steps - 2 : 1) * s.place(), way,
                      gradient + p.recurrent + s.units * s.column(b));
            if (!p.bias) continue;
            add_steps(s, slots, columns, gradient + p.biases + s.column(b));
            if (p.cell == GRU_CELL) add_steps(s, of_state, columns, gradient + p.biases + s.gates * s.vectors + s.column(b));
        }
    }

    // A few steps at a time, so that they stay in the first-level cache.
    template <class A>
    static void correlate(const Plan &p, int depth, int columns, int steps, const A *a, long a_step, const V *d, long d_step, V *c) {
        constexpr int FEW = 32;
        Correlation<A> w{};
        w.distances = p.distances.data(), w.lines = 1, w.a_step = a_step, w.d_step = d_step, w.c = c;
        for (int from = 0; from < steps; from += FEW) {
            w.a = a + from * a_step, w.d = d + from * d_step;
            w.columns = steps - from < FEW ? steps - from : FEW;
            correlations(depth, columns, w);
        }
    }

    static void add_steps(const CellShape &s, const V *slots, int columns, V *sums) {
        for (int j = 0; j < columns; ++j) {
            V sum = sums[j];
            for (int step = 0; step < s.steps; ++step) sum += slots[step * s.place() + j];
            sums[j] = sum;
        }
    }

    void slopes_of_inputs(const Plan &p, const Scratch &at, const Of &from, int tile) const {
        const CellShape &s = p.shape;
        Window<Element> w{};
        w.runs = p.slope_runs.data(), w.run_count = s.blocks(), w.start = p.adds ? FROM_BEFORE : FROM_ZERO;
        w.a_row = s.place() * PER, w.b = w.bias = this->weights_of_slopes + p.turned, w.c_row = from.slope_grid.step / PER;
        for (int r = 0; r < tile; ++r) {
            w.a = reinterpret_cast<const Element *>(at.gates + r * s.row()), w.c = from.slope(r, 0, 0);
            windows(s.steps, from.vectors, s.depth(PER), w);
        }
    }
};
