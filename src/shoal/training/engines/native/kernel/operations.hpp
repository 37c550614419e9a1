// The operations of a network of any layers, forward and backward, on buffers of a tile of rows. With SINGLE, lanes are
// channels of one member, and a vector holds LANES of them; else lanes are members, and each channel has a vector.

template <bool SINGLE>
using ElementOf = std::conditional_t<SINGLE, float, V>;

// Where places stand, counted in elements.
struct Grid {
    long origin = 0, step = 0, line = 0, row = 0;
    long at(long r, long y, long x) const { return r * row + origin + y * line + x * step; }
};

// Room around the places, and the distance between them, by lines and columns.
struct Border {
    int before[2] = {}, behind[2] = {}, stride[2] = {1, 1};

    void widen(int axis, long before_it, long behind_it) {
        if (before_it > before[axis]) before[axis] = (int)before_it;
        if (behind_it > behind[axis]) behind[axis] = (int)behind_it;
    }

    // Rows have an odd number of so many elements, or those of a tile collide in the first-level cache.
    Grid around(const Shape &shape, long elements, long odd_of) const {
        const long width = before[1] + (long)(shape.columns - 1) * stride[1] + 1 + behind[1];
        const long height = before[0] + (long)(shape.lines - 1) * stride[0] + 1 + behind[0];
        const long row = width * height * elements;
        return {(before[0] * width + before[1]) * elements, stride[1] * elements, stride[0] * width * elements,
                row % (2 * odd_of) ? row : row + odd_of};
    }
};

template <bool SINGLE>
struct Buffer : Shape {
    using Element = ElementOf<SINGLE>;
    int vectors = 0;  // of a place
    Border border, slope_border;
    Grid grid, slope_grid;
    Element *values = nullptr, *slopes = nullptr;

    int places() const { return lines * columns; }
    V *value(long r, long y, long x) const { return reinterpret_cast<V *>(values + grid.at(r, y, x)); }
    V *slope(long r, long y, long x) const { return reinterpret_cast<V *>(slopes + slope_grid.at(r, y, x)); }
    // element j of the row in one line
    const Element &value(long r, int j) const { return values[placed(grid, r, j)]; }
    Element &slope(long r, int j) const { return slopes[placed(slope_grid, r, j)]; }

private:
    long placed(const Grid &in, long r, int j) const {
        const int place = j / channels;
        return in.at(r, place / columns, place % columns) + j % channels;
    }
};

// Which of the places `at`, `at` + `apart`, ... of a window are among so many.
struct Inside {
    int from, to;
    Inside(int at, int apart, int window, int size)
        : from(at < 0 ? (apart - 1 - at) / apart : 0), to(at < size ? (size - at + apart - 1) / apart : 0) {
        if (from > window) from = window;
        if (to > window) to = window;
        if (to < from) to = from;
    }
    int count() const { return to - from; }
};

// What is worked out once for an operation.
struct Plan : Operation {
    long factors = 0;              // of a convolution: left factors of a sum
    long weights = 0, biases = 0;  // where they begin among the parameters, in vectors
    int bias_vectors = 0;
    long turned = 0;               // where the weights begin that slopes are multiplied by
    long recurrent = 0, turned_recurrent = 0;  // the same of the weights of the state
    CellShape shape;
    bool masks = false, masked = false;  // whether it keeps slopes from where the ReLU before it is shut; whether that is done
    bool at_once = false;          // whether it sees all places of a row from one place
    bool adds = false, adds_with = false;  // whether the slopes of what it takes are there already
    List<Run> runs, slope_runs, state_runs[2];
    List<long> distances;
    V *kept = nullptr;  // slopes of the activation, places of the largest, factors of dropout

    bool rectifies() const {  // whether slopes follow from values
        return (kind == CONVOLUTION || kind == ACTIVATION) && activation == CODE_relu;
    }
};

// The lines and columns of a window that stand on the input of a pooling.
struct Clip {
    int from, to;
    Clip(int place, int stride, int before, int window, int size)
        : from(place * stride - before), to(from + window < size ? from + window : size) {
        if (from < 0) from = 0;
    }
};

// Calls `each(r, y, x, i)` for every place of so many rows; i counts them.
template <class Each>
INLINE void for_places(int tile, const Shape &shape, const Each &each) {
    long i = 0;
    for (int r = 0; r < tile; ++r)
        for (int y = 0; y < shape.lines; ++y)
            for (int x = 0; x < shape.columns; ++x) each(r, y, x, i++);
}

template <bool SINGLE>
struct Operations {
    using Element = ElementOf<SINGLE>;
    using Of = Buffer<SINGLE>;
    static constexpr int PER = SINGLE ? LANES : 1;  // channels of a vector
    const V *weights_of_slopes = nullptr;

    // the input has no borders but those of its convolutions, and its channels lie side by side
    template <class A>
    void convolve(const Plan &p, const Of &from, const A *input, const Of &to, const V *parameters, int tile, bool training) const {
        Window<A> w{};
        w.runs = p.runs.data(), w.run_count = (int)p.runs.size();
        w.b = parameters + p.weights, w.bias = parameters + p.biases, w.start = FROM_BIAS, w.rectifies = p.rectifies();
        const long before = p.before[0] * from.grid.line + p.before[1] * from.grid.step;
        if (p.at_once) {
            w.a = input + from.grid.at(0, 0, 0), w.a_row = from.grid.row;
            w.c = to.value(0, 0, 0), w.c_row = to.grid.row / PER;
            windows(tile, to.vectors, p.factors, w);
            if (!p.rectifies()) activate(p, to, to, tile, training);
            return;
        }
        const long of_line = (long)p.window[1] * from.channels;
        w.a_row = p.strides[1] * from.grid.step, w.c_row = to.grid.step / PER;
        for (int r = 0; r < tile; ++r)
            for (int y = 0; y < to.lines; ++y) {
                w.a = input + from.grid.at(r, (long)y * p.strides[0], 0) - before, w.c = to.value(r, y, 0);
                see_lines(w, p.runs, Inside(y * p.strides[0] - p.before[0], p.dilation[0], p.window[0], from.lines), p.window[0], of_line);
                windows(to.columns, to.vectors, p.factors, w);
                if (!p.rectifies()) activate_line(p, to, to, r, y, training);
            }
    }

    void activate(const Plan &p, const Of &from, const Of &to, int tile, bool training) const {
        for (int r = 0; r < tile; ++r)
            for (int y = 0; y < to.lines; ++y) activate_line(p, from, to, r, y, training);
    }

    // Of the lines of a window, those alone that are no border.
    template <class A>
    static void see_lines(Window<A> &w, const List<Run> &runs, const Inside &lines, int window, long of_line) {
        const long each = runs.size() / window;
        w.runs = runs.data() + lines.from * each, w.run_count = (int)(lines.count() * each), w.skipped = lines.from * of_line;
    }

    // The slopes in what comes out of an activation become those in what goes in.
    void through_activation(const Plan &p, const Of &from, const Of &to, int tile) const {
        for_places(tile, to, [&](int r, int y, int x, long i) {
            const V *slope = to.slope(r, y, x), *kept = p.kept + i * to.vectors;
            V *into = from.slope(r, y, x);
            for (int j = 0; j < to.vectors; ++j) {
                const V product = p.rectifies() ? only(to.value(r, y, x)[j] > 0.0f, slope[j]) : slope[j] * kept[j];
                into[j] = p.adds && &from != &to ? into[j] + product : product;
            }
        });
    }

    template <class A>
    void slopes_of_weights(const Plan &p, const Of &from, const A *input, const Of &to, V *gradient, int tile, bool begins) const {
        Correlation<A> w{};
        w.distances = p.distances.data(), w.c = gradient + p.weights, w.begins = begins;
        if (p.at_once) {
            w.a = input + from.grid.at(0, 0, 0), w.d = to.slope(0, 0, 0), w.lines = 1, w.columns = tile;
            w.a_step = from.grid.row, w.d_step = to.slope_grid.row / PER;
            correlations((int)p.factors, to.vectors, w);
        } else {
            w.lines = to.lines, w.columns = to.columns;
            w.a_line = p.strides[0] * from.grid.line, w.a_step = p.strides[1] * from.grid.step;
            w.d_line = to.slope_grid.line / PER, w.d_step = to.slope_grid.step / PER;
            const long before = p.before[0] * from.grid.line + p.before[1] * from.grid.step;
            for (int r = 0; r < tile; ++r) {
                w.a = input + from.grid.at(r, 0, 0) - before, w.d = to.slope(r, 0, 0);
                correlations((int)p.factors, to.vectors, w);
                w.begins = false;
            }
        }
        if (!p.bias) return;
        for (int j = 0; j < to.vectors; ++j) {
            V sum = gradient[p.biases + j];
            for_places(tile, to, [&](int r, int y, int x, long) { sum += to.slope(r, y, x)[j]; });
            gradient[p.biases + j] = sum;
        }
    }

    void slopes_of_input(const Plan &p, const Of &from, const Of &to, int tile) const {
        Window<Element> w{};
        w.runs = p.slope_runs.data(), w.run_count = (int)p.slope_runs.size();
        w.b = weights_of_slopes + p.turned, w.start = p.adds ? FROM_BEFORE : FROM_ZERO;
        w.bias = w.b;  // not used, but moved along
        const long depth = (long)to.channels * (p.at_once ? 1 : p.window[0] * p.window[1]);
        if (p.at_once) {
            w.a = to.slopes + to.slope_grid.at(0, 0, 0), w.a_row = to.slope_grid.row, w.c_row = from.slope_grid.row / PER;
            for_places(1, from, [&](int, int y, int x, long i) {
                w.b = weights_of_slopes + p.turned + i * depth * from.vectors, w.c = from.slope(0, y, x);
                windows(tile, from.vectors, depth, w);
            });
            return;
        }
        const long line = to.slope_grid.line / p.strides[0];
        w.a_row = to.slope_grid.step / p.strides[1], w.c_row = from.slope_grid.step / PER;
        for (int r = 0; r < tile; ++r)
            for (int y = 0; y < from.lines; ++y) {
                w.a = to.slopes + to.slope_grid.at(r, 0, 0) + y * line, w.c = from.slope(r, y, 0);
                const int before = y + p.before[0] - (p.window[0] - 1) * p.dilation[0], lines = (to.lines - 1) * p.strides[0] + 1;
                see_lines(w, p.slope_runs, Inside(before, p.dilation[0], p.window[0], lines), p.window[0], (long)p.window[1] * to.channels);
                windows(from.columns, from.vectors, depth, w);
            }
    }

    // The places of the input that a window of a pooling sees.
    template <class Each>
    static void for_window(const Plan &p, const Of &from, int y, int x, const Each &each) {
        const Clip in_y(y, p.strides[0], p.before[0], p.window[0], from.lines);
        const Clip in_x(x, p.strides[1], p.before[1], p.window[1], from.columns);
        for (int v = in_y.from; v < in_y.to; ++v)
            for (int u = in_x.from; u < in_x.to; ++u) each(v, u);
    }

    // Largest, smallest and mean of windows. Of the former, which place it has is kept.
    void pool(const Plan &p, const Of &from, const Of &to, int tile, bool training, const StepMasks &masks) const {
        if (p.mask) return average_real_steps(p, from, to, tile, masks);
        for_places(tile, to, [&](int r, int y, int x, long i) {
            V *out = to.value(r, y, x), *kept = p.kept + i * to.vectors;
            const bool keeps = training && p.kind != MEAN;
            int32_t number = 0;
            for_window(p, from, y, x, [&](int v, int u) {
                const V *in = from.value(r, v, u);
                for (int j = 0; j < to.vectors; ++j) {
                    const V each = in[j], so_far = number ? out[j] : each;
                    const I wins = p.kind == SMALLEST ? each < so_far : each > so_far;
                    const V best = p.kind == SMALLEST ? minimum(each, so_far) : maximum(each, so_far);
                    out[j] = p.kind == MEAN ? (number ? so_far + each : each) : best;
                    if (keeps) kept[j] = number ? (V)(wins ? splat_int(number) : (I)kept[j]) : V{};
                }
                ++number;
            });
            const float share = 1.0f / (float)number;
            for (int j = 0; p.kind == MEAN && j < to.vectors; ++j) out[j] *= share;
        });
    }

    // Of equal numbers the first has the slope; of a whole row of more than nine places, all share it.
    void through_pool(const Plan &p, const Of &from, const Of &to, int tile, const StepMasks &masks) const {
        if (p.mask) return through_average_of_real_steps(p, from, to, tile, masks);
        const bool apart = p.strides[0] == p.window[0] && p.strides[1] == p.window[1];
        const bool all = to.lines * p.window[0] == from.lines && to.columns * p.window[1] == from.columns;
        const bool adds = p.adds || !apart || !all, shared = p.kind != MEAN && p.window[0] * p.window[1] > 9;
        if (!p.adds && adds) clear_slopes(from, tile);
        for_places(tile, to, [&](int r, int y, int x, long i) {
            const V *slope = to.slope(r, y, x), *kept = p.kept + i * to.vectors;
            if (shared) return share_slopes(p, from, to, r, y, x, adds);
            int32_t number = 0, places = 0;
            for_window(p, from, y, x, [&](int, int) { ++places; });
            const V share = splat(p.kind == MEAN ? 1.0f / (float)places : 1.0f);
            for_window(p, from, y, x, [&](int v, int u) {
                V *into = from.slope(r, v, u);
                for (int j = 0; j < to.vectors; ++j) {
                    const V shown = p.masks ? only(to.value(r, y, x)[j] > 0.0f, slope[j]) : slope[j];
                    const V each = p.kind == MEAN ? slope[j] * share : only((I)kept[j] == number, shown);
                    into[j] = adds ? into[j] + each : each;
                }
                ++number;
            });
        });
    }

    // The mean of the steps of a series that are real; without one, 0.
    void average_real_steps(const Plan &p, const Of &from, const Of &to, int tile, const StepMasks &masks) const {
        for (int r = 0; r < tile; ++r) {
            const uint8_t *const real = masks.of(p.mask, r);
            V *const out = to.value(r, 0, 0);
            for (int j = 0; j < to.vectors; ++j) out[j] = V{};
            for (int x = 0; x < from.columns; ++x)
                for (int j = 0; real[x] && j < to.vectors; ++j) out[j] += from.value(r, 0, x)[j];
            for (int j = 0; j < to.vectors; ++j) out[j] *= share_of_step(real, from.columns);
        }
    }

    void through_average_of_real_steps(const Plan &p, const Of &from, const Of &to, int tile, const StepMasks &masks) const {
        for (int r = 0; r < tile; ++r) {
            const uint8_t *const real = masks.of(p.mask, r);
            for (int x = 0; x < from.columns; ++x)
                for (int j = 0; j < to.vectors; ++j) {
                    V &into = from.slope(r, 0, x)[j];
                    const V each = real[x] ? to.slope(r, 0, 0)[j] * share_of_step(real, from.columns) : V{};
                    into = p.adds ? into + each : each;
                }
        }
    }

    static float share_of_step(const uint8_t *real, int steps) {
        int count = 0;
        for (int x = 0; x < steps; ++x) count += real[x];
        return 1.0f / (float)(count ? count : 1);
    }

    void share_slopes(const Plan &p, const Of &from, const Of &to, int r, int y, int x, bool adds) const {
        for (int j = 0; j < to.vectors; ++j) {
            const V best = to.value(r, y, x)[j];
            V equal{};
            for_window(p, from, y, x, [&](int v, int u) { equal += only(from.value(r, v, u)[j] == best, splat(1.0f)); });
            const V shown = p.masks ? only(best > 0.0f, to.slope(r, y, x)[j]) : to.slope(r, y, x)[j];
            const V each = shown / equal;
            for_window(p, from, y, x, [&](int v, int u) {
                V &into = from.slope(r, v, u)[j];
                const V won = only(from.value(r, v, u)[j] == best, each);
                into = adds ? into + won : won;
            });
        }
    }

    void repeat(const Plan &p, const Of &from, const Of &to, int tile) const {
        for_places(tile, to, [&](int r, int y, int x, long) {
            const V *in = from.value(r, y / p.window[0], x / p.window[1]);
            for (int j = 0; j < to.vectors; ++j) to.value(r, y, x)[j] = in[j];
        });
    }

    void through_repeat(const Plan &p, const Of &from, const Of &to, int tile) const {
        if (!p.adds) clear_slopes(from, tile);
        for_places(tile, to, [&](int r, int y, int x, long) {
            V *into = from.slope(r, y / p.window[0], x / p.window[1]);
            for (int j = 0; j < to.vectors; ++j) into[j] += to.slope(r, y, x)[j];
        });
    }

    void add(const Of &from, const Of &with, const Of &to, int tile) const {
        for_places(tile, to, [&](int r, int y, int x, long) {
            const V *a = from.value(r, y, x), *b = with.value(r, y, x);
            for (int j = 0; j < to.vectors; ++j) to.value(r, y, x)[j] = a[j] + b[j];
        });
    }

    // Element by element: the product, or the mean.
    void merge(const Plan &p, const Of &from, const Of &with, const Of &to, int tile) const {
        for_places(tile, to, [&](int r, int y, int x, long) {
            const V *a = from.value(r, y, x), *b = with.value(r, y, x);
            for (int j = 0; j < to.vectors; ++j) to.value(r, y, x)[j] = p.kind == PRODUCT ? a[j] * b[j] : (a[j] + b[j]) * 0.5f;
        });
    }

    void through_merge(const Plan &p, const Of &from, const Of &with, const Of &to, bool adds, int tile) const {
        for_places(tile, to, [&](int r, int y, int x, long) {
            const V *slope = to.slope(r, y, x), *other = with.value(r, y, x);
            V *into = from.slope(r, y, x);
            for (int j = 0; j < to.vectors; ++j) {
                const V each = slope[j] * (p.kind == PRODUCT ? other[j] : splat(0.5f));
                into[j] = adds ? into[j] + each : each;
            }
        });
    }

    // Channels one behind the other.
    void join(const Of &from, const Of &with, const Of &to, int tile) const {
        for_places(tile, to, [&](int r, int y, int x, long) {
            Element *const out = to.values + to.grid.at(r, y, x);
            const Element *const a = from.values + from.grid.at(r, y, x), *const b = with.values + with.grid.at(r, y, x);
            for (int c = 0; c < from.channels; ++c) out[c] = a[c];
            for (int c = 0; c < with.channels; ++c) out[from.channels + c] = b[c];
        });
    }

    void through_join(const Of &from, const Of &to, int begin, bool adds, int tile) const {
        for_places(tile, to, [&](int r, int y, int x, long) {
            const Element *const slope = to.slopes + to.slope_grid.at(r, y, x) + begin;
            Element *const into = from.slopes + from.slope_grid.at(r, y, x);
            for (int c = 0; c < from.channels; ++c) into[c] = adds ? into[c] + slope[c] : slope[c];
        });
    }

    void hand_back(const Of &from, const Of &to, bool adds, int tile, const V *factors = nullptr) const {
        for_places(tile, to, [&](int r, int y, int x, long i) {
            const V *slope = to.slope(r, y, x);
            V *into = from.slope(r, y, x);
            for (int j = 0; j < to.vectors; ++j) {
                const V each = factors ? slope[j] * factors[i * to.vectors + j] : slope[j];
                into[j] = adds ? into[j] + each : each;
            }
        });
    }

    // Where steps have targets, numbers are counted one channel after the other.
    void drop(const Plan &p, const Of &from, const Of &to, const Numbers &own, I steps, int tile, int first, bool training,
              bool by_channel) const {
        const V rate = p.rate < 0.0f ? own.dropout : splat(p.rate), kept = 1.0f / (1.0f - rate);
        const U when = (U)steps * 256u + (uint32_t)p.source;
        const uint32_t pairs = (uint32_t)((p.spatial ? 1 : to.places()) * to.channels + 1) / 2;
        const uint32_t of_row = pairs > 65536u ? pairs : 65536u;
        for_places(tile, to, [&](int r, int y, int x, long i) {
            const uint32_t apart = by_channel && !p.spatial ? (uint32_t)to.places() : 1u, place = (uint32_t)(y * to.columns + x);
            const uint32_t begin = p.spatial ? 0u : place * (apart > 1u ? 1u : (uint32_t)to.channels);
            const V *in = from.value(r, y, x);
            for (int j = 0; j < to.vectors; ++j) {
                V factor = splat(1.0f);
                if (training) {
                    U number = splat_bits(begin + (uint32_t)(j * PER) * apart);
                    for (int lane = 1; SINGLE && lane < LANES; ++lane) number[lane] += (uint32_t)lane * apart;
                    const U where = (uint32_t)(first + r) * of_row + number / 2u;
                    const Words words = threefry(own.key, where, when);
                    const U word = (I)(number & 1u) != 0 ? words.second : words.first;
                    factor = only(to_uniform(word) >= rate, kept);
                    p.kept[i * to.vectors + j] = factor;
                }
                to.value(r, y, x)[j] = in[j] * factor;
            }
        });
    }

    // The same elements in another shape; from the input they are numbers that all members share.
    template <class A>
    void move(const Of &from, const A *input, const Of &to, int tile) const {
        const int count = to.places() * to.channels;
        for (int r = 0; r < tile; ++r)
            for (int j = 0; j < count; ++j) {
                const int place = j / from.channels, out = j / to.channels;
                const A &each = input[from.grid.at(r, place / from.columns, place % from.columns) + j % from.channels];
                Element &into = to.values[to.grid.at(r, out / to.columns, out % to.columns) + j % to.channels];
                if constexpr (SINGLE) into = each;
                else into = as_vector(each);
            }
    }

    void through_move(const Plan &p, const Of &from, const Of &to, int tile) const {
        if (!p.adds) clear_slopes(from, tile);
        for (int r = 0; r < tile; ++r)
            for (int j = 0; j < to.places() * to.channels; ++j) from.slope(r, j) += to.slope(r, j);
    }

private:
    static void activate_line(const Plan &p, const Of &from, const Of &to, int r, int y, bool training) {
        if (p.activation == CODE_linear && &from == &to) return;
        const int count = to.columns * to.vectors;
        V *const kept = training && !p.rectifies() ? p.kept + ((long)r * to.lines + y) * count : nullptr;
        activate_all(p.activation, from.value(r, y, 0), to.value(r, y, 0), kept, count);
    }

    static void clear_slopes(const Of &of, int tile) {
        for_places(tile, of, [&](int r, int y, int x, long) {
            for (int j = 0; j < of.vectors; ++j) of.slope(r, y, x)[j] = V{};
        });
    }
};
