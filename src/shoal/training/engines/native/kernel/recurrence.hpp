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
        s.state_slot[0] = s.gates == 3 ? 1 : 0;
        s.of_state[0] = p.cell == GRU_BEFORE_CELL ? 2 : s.gates, s.of_state[1] = s.gates - s.of_state[0];
        s.per_block = s.gates == 1 ? s.vectors : SINGLE ? 1 : LANES;
        s.states = p.cell == LSTM_CELL || p.cell == GRU_BEFORE_CELL ? 2 : 1;
        return s;
    }

    static void find_runs(Plan &p) {
        const CellShape &s = p.shape;
        for (int b = 0; b < s.blocks(); ++b) {
            p.slope_runs.append({s.begin(b) * PER, s.gates * s.wide(b) * PER});
            for (int part = 0; part < s.parts(); ++part)
                p.state_runs[part].append({(s.begin(b) + s.state_slot[part] * s.wide(b)) * PER, s.of_state[part] * s.wide(b) * PER});
        }
        p.runs.append({0, s.features}), p.runs.append({0, s.units});
        for (int k = 0; k < (s.features > s.units ? s.features : s.units); ++k) p.distances.append(k);
    }

    // Where the numbers of a member stand, in their order: `visit(vector, channels)`, so many of them from its first on.
    template <class Visit>
    static void for_parameters(const Plan &p, const Visit &visit) {
        const CellShape &s = p.shape;
        const auto of_gates = [&s](bool of_state, const auto &each) {
            for (int gate = 0; gate < s.gates; ++gate)
                for (int vector = 0; vector < s.vectors; ++vector)
                    each(column_of(s, gate, vector, of_state), s.units - vector * PER < PER ? s.units - vector * PER : PER);
        };
        for (int k = 0; k < s.features; ++k)
            of_gates(false, [&](const Column &c, int channels) {
                visit(p.weights + s.features * s.column(c.block) + in_strips(s.features, s.gates * s.wide(c.block), k, c.column), channels);
            });
        for (int k = 0; k < s.units; ++k)
            of_gates(true, [&](const Column &c, int channels) {
                const long within = in_strips(s.units, s.of_state[c.part] * s.wide(c.block), k, c.column);
                visit(p.recurrent + s.units * s.part_column(c.part, c.block) + within, channels);
            });
        for (int of_state = 0; p.bias && of_state < (p.cell == GRU_CELL ? 2 : 1); ++of_state)
            of_gates(of_state, [&](const Column &c, int channels) {
                visit(p.biases + of_state * s.gates * s.vectors + s.column(c.block) + c.column, channels);
            });
    }

    // The weights by which slopes go back: those of the inputs, and of the state by parts.
    static void turn(const Plan &p, const V *parameters, V *turned) {
        const CellShape &s = p.shape;
        for (int part = 0; part < s.parts(); ++part) {
            const long begin = s.part_begin(part);
            turn_columns(s, s.units, s.of_state[part], parameters + p.recurrent + s.units * begin,
                         turned + p.turned_recurrent + begin * PER * s.vectors);
        }
        if (p.from) turn_columns(s, s.features, s.gates, parameters + p.weights, turned + p.turned);
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
                const int place = p.backwards ? s.steps - 1 - step : step;
                multiply_state(p, 0, at, parameters, tile, step);
                if constexpr (cell() == GRU_BEFORE_CELL) {
                    for (int r = 0; r < tile; ++r)
                        for_units(s, at, r, step, place, [&](const CellAt &each) { reset_forward(squash, each); });
                    multiply_state(p, 1, at, parameters, tile, step);
                }
                for (int r = 0; r < tile; ++r) {
                    const uint8_t *const real = masks.of(p.mask, r);
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
                if constexpr (cell() == GRU_BEFORE_CELL) {
                    slopes_of_state(p, 1, at, tile, place);
                    for (int r = 0; r < tile; ++r)
                        for_units(s, at, r, step, place, [&](const CellAt &each) { reset_backward(squash, each); });
                }
                if (step) slopes_of_state(p, 0, at, tile, place);
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
        int part, block, column;
    };

    // Where a vector of a gate stands, in Keras' order, among the columns of the inputs or of the state.
    static Column column_of(const CellShape &s, int gate, int vector, bool of_state) {
        const int b = vector / s.per_block, place = s.gates == 3 && !of_state ? (gate + 1) % 3 : gate;
        const int part = of_state && place >= s.of_state[0];
        return {part, b, (place - part * s.of_state[0]) * s.wide(b) + vector % s.per_block};
    }

    // `depth` factors of so many gates become the columns, and the gates the factors.
    static void turn_columns(const CellShape &s, int depth, int gates, const V *from, V *to) {
        const int vectors = (depth + PER - 1) / PER;
        const long turned_depth = (long)gates * s.vectors * PER;
        for (int b = 0; b < s.blocks(); ++b)
            for (int column = 0; column < gates * s.wide(b); ++column)
                for (int k = 0; k < depth; ++k) {
                    const long begin = (long)b * gates * s.per_block, row = PER * (begin + column);
                    const V weight = from[depth * begin + in_strips(depth, gates * s.wide(b), k, column)];
                    if constexpr (SINGLE)
                        for (int lane = 0; lane < LANES; ++lane)
                            set_lane(to[in_strips(turned_depth, vectors, row + lane, k / PER)], k % PER, weight[lane]);
                    else
                        to[in_strips(turned_depth, vectors, row, k)] = weight;
                }
    }

    // Calls `each(cell, squash)`, the former a constant.
    template <class Each>
    static void with_cell(const Plan &p, const Each &each) {
        const bool usual = p.activation == CODE_tanh && (p.cell == SIMPLE_CELL || p.gate == CODE_sigmoid);
        const auto with = [&](const auto &squash) {
            if (p.cell == SIMPLE_CELL) each(std::integral_constant<int, SIMPLE_CELL>(), squash);
            else if (p.cell == LSTM_CELL) each(std::integral_constant<int, LSTM_CELL>(), squash);
            else if (p.cell == GRU_BEFORE_CELL) each(std::integral_constant<int, GRU_BEFORE_CELL>(), squash);
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
                each({gates + s.begin(b) + i, product + s.part_column(0, b) + i, product + s.part_column(1, b) + i, s.wide(b),
                      hidden + j, hidden + s.vectors + j, cells + j, cells + s.vectors + j, slopes + j,
                      slopes + s.vectors + j, product + j});
    }

    // What the state before a step gives to its gates, or the second part of them what is left of it.
    static void multiply_state(const Plan &p, int part, const Scratch &at, const V *parameters, int tile, int step) {
        const CellShape &s = p.shape;
        const V *const biases = parameters + p.biases + s.gates * s.vectors;  // of GRU's state
        Window<Element> w{};
        w.runs = p.runs.data() + 1, w.run_count = 1, w.start = p.cell == GRU_CELL ? FROM_BIAS : FROM_ZERO;
        w.a = reinterpret_cast<const Element *>((part ? at.cells : at.hidden) + (long)step * s.vectors);
        w.a_row = s.state_row() * PER, w.c_row = s.product_row();
        for (int b = 0; step && b < s.blocks(); ++b) {
            w.b = parameters + p.recurrent + s.units * s.part_column(part, b), w.c = at.product + s.part_column(part, b);
            w.bias = p.cell == GRU_CELL ? biases + s.column(b) : w.b;
            windows(tile, s.of_state[part] * s.wide(b), s.units, w);
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

    // Those of the second part, in the state that is left, come where its product was.
    void slopes_of_state(const Plan &p, int part, const Scratch &at, int tile, int place) const {
        const CellShape &s = p.shape;
        Window<Element> w{};
        w.runs = p.state_runs[part].data(), w.run_count = s.blocks(), w.start = part ? FROM_ZERO : FROM_BEFORE;
        w.a = reinterpret_cast<const Element *>(at.gates + place * s.place()), w.a_row = s.row() * PER;
        w.b = w.bias = this->weights_of_slopes + p.turned_recurrent + s.part_begin(part) * PER * s.vectors;
        w.c = part ? at.product : at.slopes, w.c_row = part ? s.product_row() : s.slope_row();
        windows(tile, s.vectors, s.part_depth(part, PER), w);
    }

    // Sums go on row by row, so that they do not depend on the rows of a tile.
    template <class A>
    static void slopes_of_parameters(const Plan &p, const Scratch &at, const Of &from, const A *input, V *gradient, int r) {
        const CellShape &s = p.shape;
        const V *const gates = at.gates + r * s.row();
        const long way = p.backwards ? -s.place() : s.place();
        for (int b = 0; b < s.blocks(); ++b) {
            const V *const slots = gates + s.begin(b);
            const int columns = s.gates * s.wide(b);
            correlate(p, s.features, columns, s.steps, input + from.grid.at(r, 0, 0), from.grid.step, slots, s.place(),
                      gradient + p.weights + s.features * s.column(b));
            for (int part = 0; part < s.parts(); ++part) {
                const V *const states = (part ? at.cells : at.hidden) + r * s.state_row() + s.vectors;
                const V *const second = slots + s.state_slot[part] * s.wide(b) + (p.backwards ? s.steps - 2 : 1) * s.place();
                correlate(p, s.units, s.of_state[part] * s.wide(b), s.steps - 1, reinterpret_cast<const Element *>(states),
                          (long)s.vectors * PER, second, way, gradient + p.recurrent + s.units * s.part_column(part, b));
            }
            if (!p.bias) continue;
            add_steps(s, slots, columns, gradient + p.biases + s.column(b));
            const V *const of_state = slots + s.state_slot[0] * s.wide(b);
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
