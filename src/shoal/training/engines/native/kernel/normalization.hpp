// Normalisation of the channels of each place, with sums in the order of the channels in either layout.

template <bool SINGLE>
struct PlaceNorm {
    static constexpr int PER = SINGLE ? LANES : 1;

    // mean and what the deviations are multiplied by
    struct Moments {
        V mean, factor;
    };

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

    static Moments moments(const V *x, V *scratch, int channels, int vectors, float epsilon) {
        const V mean = sum(x, channels) / (float)channels;
        for (int j = 0; j < vectors; ++j) {
            const V deviation = x[j] - mean;
            scratch[j] = deviation * deviation;
        }
        return {mean, 1.0f / root(sum(scratch, channels) / (float)channels + epsilon)};
    }

    // The normalised channels are kept, and the factor behind them.
    static void forward(const V *x, V *y, V *kept, const V *gamma, const V *beta, int channels, int vectors, float epsilon) {
        const Moments m = moments(x, kept, channels, vectors, epsilon);
        for (int j = 0; j < vectors; ++j) {
            kept[j] = (x[j] - m.mean) * m.factor;
            const V scaled = gamma ? kept[j] * gamma[j] : kept[j];
            y[j] = beta ? scaled + beta[j] : scaled;
        }
        kept[vectors] = m.factor;
    }

    // The slopes of x from those of y; null gamma is one. `scratch` is of so many vectors, twice.
    static void backward(const V *slope, V *into, bool adds, const V *kept, const V *gamma, V *scratch, int channels, int vectors) {
        V *const of_normal = scratch, *const products = scratch + vectors;
        for (int j = 0; j < vectors; ++j) {
            of_normal[j] = gamma ? slope[j] * gamma[j] : slope[j];
            products[j] = of_normal[j] * kept[j];
        }
        const V mean = sum(of_normal, channels) / (float)channels, along = sum(products, channels) / (float)channels;
        for (int j = 0; j < vectors; ++j) {
            V each = kept[vectors] * (of_normal[j] - mean - kept[j] * along);
            if constexpr (SINGLE)  // lanes behind the last channel have no slope
                for (int lane = channels - j * LANES; lane < LANES; ++lane) each[lane] = 0.0f;
            into[j] = adds ? into[j] + each : each;
        }
    }
};
