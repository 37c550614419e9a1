// Activations over all neurons of a layer, row by row. What the way back needs is kept where slopes are.

constexpr int SOFTMAX = ACTIVATION_COUNT, LOG_SOFTMAX = SOFTMAX + 1, SPARSEMAX = SOFTMAX + 2, GLU = SOFTMAX + 3;

INLINE bool is_across(int code) { return code >= SOFTMAX; }

// How many values a layer of so many neurons hands on.
INLINE int handed_on(int code, int neurons) { return code == GLU ? neurons / 2 : neurons; }

INLINE V largest_of(const V *z, int count) {
    V largest = z[0];
    for (int j = 1; j < count; ++j) largest = select(z[j] > largest, z[j], largest);
    return largest;
}

INLINE void softmax(V *z, int count) {
    const V largest = largest_of(z, count);
    V sum{};
    for (int j = 0; j < count; ++j) sum += z[j] = exponential_up_to_88(z[j] - largest);
    for (int j = 0; j < count; ++j) z[j] /= sum;
}

INLINE void log_softmax(V *z, int count) {
    const V largest = largest_of(z, count);
    V sum{};
    for (int j = 0; j < count; ++j) sum += exponential_up_to_88(z[j] - largest);
    for (int j = 0; j < count; ++j) z[j] -= largest + logarithm(sum);
}

// The threshold is the mean of what exceeds it, less 1 / count: found in at most so many turns (Michelot, 1986).
INLINE void sparsemax(V *z, int count) {
    const V largest = largest_of(z, count);
    for (int j = 0; j < count; ++j) z[j] -= largest;
    V threshold = splat(-3.4e38f);
    for (int turn = 0; turn < count; ++turn) {
        V sum{}, above{};
        for (int j = 0; j < count; ++j) {
            sum += only(z[j] > threshold, z[j]);
            above += only(z[j] > threshold, splat(1.0f));
        }
        const V next = (sum - 1.0f) / above;
        const bool same = !any(next != threshold);
        threshold = next;
        if (same) break;
    }
    for (int j = 0; j < count; ++j) z[j] = select(z[j] <= threshold, V{}, z[j] - threshold);
}

// z becomes the values; kept is what `through_across` takes.
static void activate_across(int code, int count, V *z, V *kept) {
    if (code == GLU) {
        const int half = count / 2;
        for (int j = 0; j < half; ++j) {
            const V gate = logistic(z[half + j]);
            if (kept) kept[j] = gate, kept[half + j] = z[j] * gate * (1.0f - gate);
            z[j] *= gate;
        }
        return;
    }
    if (code == SOFTMAX) softmax(z, count);
    if (code == LOG_SOFTMAX) log_softmax(z, count);
    if (code == SPARSEMAX) sparsemax(z, count);
    if (kept)
        for (int j = 0; j < count; ++j) kept[j] = z[j];
}

// From the slopes in the values of a row to those in z, which take the place of what was kept.
static void through_across(int code, int count, const V *of_values, V *kept) {
    if (code == GLU) {
        for (int j = 0; j < count; ++j) kept[j] *= of_values[j % (count / 2)];
        return;
    }
    V sum{}, support{};
    for (int j = 0; j < count; ++j) {
        const I inside = code == SPARSEMAX ? kept[j] > 0.0f : splat_int(-1);
        sum += code == SOFTMAX ? of_values[j] * kept[j] : only(inside, of_values[j]);
        support += only(inside, splat(1.0f));
    }
    for (int j = 0; j < count; ++j) {
        if (code == SOFTMAX) kept[j] *= of_values[j] - sum;
        if (code == LOG_SOFTMAX) kept[j] = of_values[j] - exponential_up_to_88(kept[j]) * sum;
        if (code == SPARSEMAX) kept[j] = only(kept[j] > 0.0f, of_values[j] - sum / support);
    }
}
