// Normalisation of the channels of each place, or of each channel over the batch. Sums run in one order in either layout.

template <bool SINGLE>
struct Normalizing : Operations<SINGLE> {
    using Of = Buffer<SINGLE>;
    static constexpr int PER = SINGLE ? LANES : 1;

    // Vectors of a row that are kept: what is normalised, and the factors of its places, or once what was found of a batch.
    static long keeps(const Plan &p, const Of &to) {
        return p.kind == LAYER_NORM ? to.places() * (to.vectors + 1L) : 3L * to.vectors + 1;
    }

    static void normalise_places(const Plan &p, const Of &from, const Of &to, const V *parameters, int tile) {
        const Scale scale(p, to, parameters);
        for_places(tile, to, [&](int r, int y, int x, long i) {
            const V *const in = from.value(r, y, x);
            V *const kept = p.kept + i * (to.vectors + 1);
            const V mean = sum(in, to.channels) / (float)to.channels;
            for (int j = 0; j < to.vectors; ++j) kept[j] = (in[j] - mean) * (in[j] - mean);
            kept[to.vectors] = 1.0f / root(sum(kept, to.channels) / (float)to.channels + p.rate);
            for (int j = 0; j < to.vectors; ++j) {
                kept[j] = only(lanes_of(to, j), (in[j] - mean) * kept[to.vectors]);
                to.value(r, y, x)[j] = scale.of(kept[j], j);
            }
        });
    }

    static void through_places(const Plan &p, const Of &from, const Of &to, const V *parameters, V *gradient, int tile) {
        const Scale scale(p, to, parameters);
        List<V> products(2L * to.vectors);
        V *const inner = products.data(), *const along = inner + to.vectors;
        for_places(tile, to, [&](int r, int y, int x, long i) {
            const V *const slope = to.slope(r, y, x), *const kept = p.kept + i * (to.vectors + 1);
            for (int j = 0; j < to.vectors; ++j) {
                add_to_gradient(p, to, gradient, j, slope[j], slope[j] * kept[j]);
                inner[j] = slope[j] * scale.gamma_of(j), along[j] = inner[j] * kept[j];
            }
            const V mean = sum(inner, to.channels) / (float)to.channels, turn = sum(along, to.channels) / (float)to.channels;
            V *const into = from.slope(r, y, x);
            for (int j = 0; j < to.vectors; ++j) {
                const V each = only(lanes_of(to, j), kept[to.vectors] * (inner[j] - mean - kept[j] * turn));
                into[j] = p.adds ? into[j] + each : each;
            }
        });
    }

    // By the batch, all of which is in the tile, or where nothing is trained by what moved along.
    void normalise_batch(const Plan &p, const Of &from, const Of &to, const V *parameters, int tile, bool training,
                         const V *present, const StepMasks &masks) const {
        const Found found = found_of(p, to);
        const Scale scale(p, to, parameters);
        if (training && p.trained) find_moments(p, from, tile, found, present, masks);
        const bool moved = !training || !p.trained;
        const V *const moving = parameters + moving_of(p);
        for (int j = 0; j < to.vectors; ++j) {
            if (moved) found.mean[j] = moving[j];
            const V variance = moved ? moving[to.vectors + j] : found.variance[j];
            found.factor[j] = only(lanes_of(to, j), 1.0f / root(variance + p.rate));  // none in lanes without a channel
        }
        for (int r = 0; r < tile; ++r)
            for (int j = 0; j < to.vectors; ++j) {
                const V mean = found.mean[j], factor = found.factor[j];
                for_row(to, [&](int y, int x) { to.value(r, y, x)[j] = scale.of((from.value(r, y, x)[j] - mean) * factor, j); });
            }
    }

    void through_batch(const Plan &p, const Of &from, const Of &to, const V *parameters, V *gradient, int tile,
                       const V *present, const StepMasks &masks) const {
        const Found found = found_of(p, to);
        const Scale scale(p, to, parameters);
        const V number = select(*found.count > 0.0f, *found.count, splat(1.0f));
        for (int j = 0; j < to.vectors; ++j) {
            const V mean = found.mean[j], factor = found.factor[j], outer = scale.gamma_of(j) * factor;
            const auto normal = [&](int r, int y, int x) { return (from.value(r, y, x)[j] - mean) * factor; };
            V slopes{}, along{};
            for (int r = 0; r < tile; ++r) {
                slopes += sum_of_row(to, [&](int y, int x) { return to.slope(r, y, x)[j]; });
                along += sum_of_row(to, [&](int y, int x) { return to.slope(r, y, x)[j] * normal(r, y, x); });
            }
            add_to_gradient(p, to, gradient, j, slopes, along);
            for (int r = 0; r < tile; ++r)
                for_row(to, [&](int y, int x) {
                    const V share = p.trained ? weight_of(p, present, masks, r, x) / number : V{};
                    V &into = from.slope(r, y, x)[j];
                    const V each = outer * (to.slope(r, y, x)[j] - share * (slopes + normal(r, y, x) * along));
                    into = p.adds ? into + each : each;
                });
        }
    }

    // What moves along follows the batch of those who take a step.
    void follow_batch(const Plan &p, const Of &to, V *parameters, I active) const {
        const Found found = found_of(p, to);
        const I follows = active & (*found.count > 0.0f);
        V *const mean = parameters + moving_of(p), *const variance = mean + to.vectors;
        for (int j = 0; j < to.vectors; ++j) {
            mean[j] = select(follows, p.momentum * mean[j] + (1.0f - p.momentum) * found.mean[j], mean[j]);
            variance[j] = select(follows, p.momentum * variance[j] + (1.0f - p.momentum) * found.variance[j], variance[j]);
        }
    }

protected:
    int tile_rows = 1;

private:
    // Gamma and beta, or one and zero.
    struct Scale {
        const V *gamma, *beta;
        Scale(const Plan &p, const Of &to, const V *parameters)
            : gamma(p.scale ? parameters + p.biases : nullptr),
              beta(p.center ? parameters + p.biases + (p.scale ? to.vectors : 0) : nullptr) {}
        V gamma_of(int j) const { return gamma ? gamma[j] : splat(1.0f); }
        V of(V normal, int j) const {
            const V scaled = gamma ? normal * gamma[j] : normal;
            return beta ? scaled + beta[j] : scaled;
        }
    };

    // What was found of a batch: for each channel, and how much its places count.
    struct Found {
        V *mean, *variance, *factor, *count;
    };

    Found found_of(const Plan &p, const Of &to) const {
        V *const at = p.kept;
        return {at, at + to.vectors, at + 2 * to.vectors, at + 3 * to.vectors};
    }

    static long moving_of(const Plan &p) { return p.biases + p.bias_vectors; }

    // The lanes that hold a channel.
    static I lanes_of(const Of &of, int j) {
        I holds = splat_int(-1);
        for (int lane = 0; SINGLE && lane < LANES; ++lane) holds[lane] = -(j * LANES + lane < of.channels);
        return holds;
    }

    static V sum(const V *x, int channels) {
        V total{};
        if constexpr (SINGLE) {
            float so_far = 0.0f;
            for (int c = 0; c < channels; ++c) so_far += x[c / LANES][c % LANES];
            total = splat(so_far);
        } else {
            for (int c = 0; c < channels; ++c) total += x[c];
        }
        return total;
    }

    static void add_to_gradient(const Plan &p, const Of &to, V *gradient, int j, V of_beta, V of_gamma) {
        V *const at = gradient + p.biases + j;
        if (p.scale) at[0] += of_gamma;
        if (p.center) at[p.scale ? to.vectors : 0] += of_beta;
    }

    // How much a place counts.
    static V weight_of(const Plan &p, const V *present, const StepMasks &masks, int r, int x) {
        const V of_row = SINGLE ? splat(present[r / LANES][r % LANES]) : present[r];
        const uint8_t *const real = masks.of(p.mask, r);
        return !real || real[x] ? of_row : V{};
    }

    template <class Each>
    INLINE void for_row(const Shape &shape, const Each &each) {
        for (int y = 0; y < shape.lines; ++y)
            for (int x = 0; x < shape.columns; ++x) each(y, x);
    }

    // The sum over the places of a row: four side by side, so that none waits for the one before.
    template <class Each>
    INLINE V sum_of_row(const Shape &shape, const Each &each) {
        V sums[4] = {};
        for (int y = 0; y < shape.lines; ++y) {
            int x = 0;
            for (; x + 4 <= shape.columns; x += 4)
#pragma GCC unroll 4
                for (int i = 0; i < 4; ++i) sums[i] += each(y, x + i);
            for (int i = 0; x < shape.columns; ++x, ++i) sums[i] += each(y, x);
        }
        return (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }

    void find_moments(const Plan &p, const Of &from, int tile, const Found &found, const V *present, const StepMasks &masks) const {
        *found.count = V{};
        for (int r = 0; r < tile; ++r)
            *found.count += sum_of_row(from, [&](int, int x) { return weight_of(p, present, masks, r, x); });
        const V number = select(*found.count > 0.0f, *found.count, splat(1.0f));
        const auto mean_of = [&](const auto &each) {
            V sum{};
            for (int r = 0; r < tile; ++r)
                sum += sum_of_row(from, [&](int y, int x) {
                    const V weight = weight_of(p, present, masks, r, x);
                    return weight * only(weight > 0.0f, each(r, y, x));
                });
            return sum / number;
        };
        for (int j = 0; j < from.vectors; ++j) {
            const V mean = mean_of([&](int r, int y, int x) { return from.value(r, y, x)[j]; });
            found.mean[j] = mean;
            found.variance[j] = mean_of([&](int r, int y, int x) {
                const V apart = from.value(r, y, x)[j] - mean;
                return apart * apart;
            });
        }
    }
};
