// Losses of one row: the weighted mean over its outputs, and its slope in each of them.

struct RowLoss {
    V value, weight;  // weighted mean of the values; mean of the weights
};

// One output of a loss that looks at each output alone; error is output minus target.
template <int CODE>
INLINE Activated loss_of_output(V target, V output, V delta) {
    const V error = output - target;
    const V size = absolute(error);
    if constexpr (CODE == SQUARED) return {error * error, 2.0f * error};
    if constexpr (CODE == ABSOLUTE) return {size, select(error <= 0.0f, splat(-1.0f), splat(1.0f))};
    if constexpr (CODE == HUBER) {
        const V bounded = minimum(size, delta);
        return {select(size <= delta, 0.5f * size * size, delta * size - 0.5f * delta * delta),
                copy_sign(bounded, error)};
    }
    if constexpr (CODE == LOG_COSH) {
        const V value = size + log_one_plus_fraction(exponential_up_to_88(-2.0f * size)) - 0.69314718056f;
        return {value, hyperbolic_tangent(error)};
    }
    if constexpr (CODE == POISSON_OF_LOGITS) {
        const V expected = exponential(output);
        return {expected - target * output, expected - target};
    }
    return {softplus(output) - output * target, logistic(output) - target};  // BINARY_OF_LOGITS
}

template <int CODE>
INLINE RowLoss loss_of_outputs(int outputs, const V *y, const V *output, const V *weights, int weight_columns,
                               V delta, V *slope) {
    V value{}, weight{};
    const float share = 1.0f / (float)outputs;
    for (int j = 0; j < outputs; ++j) {
        const V own = weights[weight_columns == 1 ? 0 : j];
        const Activated one = loss_of_output<CODE>(y[j], output[j], delta);
        value += own * one.value;
        weight += own;
        slope[j] = own * one.slope * share;
    }
    return {value * share, weight * share};
}

// The categorical cross-entropy of softmax(z), from z.
INLINE RowLoss loss_of_classes(int outputs, const V *y, const V *z, const V *weights, int weight_columns, V *slope) {
    const V largest = largest_of(z, outputs);
    V sum{}, weight{}, targets{}, expected{};
    for (int j = 0; j < outputs; ++j) {
        slope[j] = exponential_up_to_88(z[j] - largest);
        sum += slope[j];
        targets += y[j];
        expected += y[j] * (z[j] - largest);
    }
    for (int j = 0; j < weight_columns; ++j) weight += weights[j];
    weight *= 1.0f / (float)weight_columns;
    const V scale = weight * targets / sum;
    for (int j = 0; j < outputs; ++j) slope[j] = slope[j] * scale - weight * y[j];
    return {weight * (targets * logarithm(sum) - expected), weight};
}

// (y - f)^2 / v + log v, with the variance v = exp(2 log s), and the square of a measured error behind the targets.
INLINE RowLoss loss_of_gaussian(const Rows &rows, const V *y, const V *output, const V *weights, V *slope) {
    const int targets = rows.targets;
    const float share = 1.0f / (float)targets;
    V value{}, weight{};
    for (int j = 0; j < targets; ++j) {
        const V own = weights[rows.weight_columns == 1 ? 0 : j];
        const V scatter = exponential(2.0f * output[targets + j]);
        V variance = scatter + FLOOR;
        if (rows.y_columns > targets) variance += y[targets + j] * y[targets + j];
        const V away = output[j] - y[j], pull = away / variance;
        value += own * (away * pull + logarithm(variance));
        weight += own;
        slope[j] = own * pull * (2.0f * share);
        slope[targets + j] = own * (scatter / variance) * (1.0f - away * pull) * (2.0f * share);
    }
    return {value * share, weight * share};
}

// The mean over levels of max(level (y - q), (level - 1) (y - q)).
INLINE RowLoss loss_of_quantiles(const Rows &rows, const V *y, const V *output, const V *weights, V *slope) {
    const int targets = rows.targets;
    const float share = 1.0f / (float)rows.outputs;
    V value{}, weight{};
    for (int j = 0; j < targets; ++j) weight += weights[rows.weight_columns == 1 ? 0 : j];
    for (int k = 0; k < rows.level_count; ++k)
        for (int j = 0; j < targets; ++j) {
            const V own = weights[rows.weight_columns == 1 ? 0 : j], above = y[j] - output[k * targets + j];
            const V factor = select(above > 0.0f, splat(rows.levels[k]), splat(rows.levels[k] - 1.0f));
            value += own * factor * above;
            slope[k * targets + j] = 0.0f - own * factor * share;
        }
    return {value * share, weight * (1.0f / (float)targets)};
}

// How many outputs the target of this output has: one for two classes, else one for each.
INLINE int outputs_of_target(const Rows &rows, int output) {
    return rows.class_counts[output] == 2 ? 1 : rows.class_counts[output];
}

// The sum over several targets of the cross-entropy of each, from its outputs before sigmoid or softmax.
INLINE RowLoss loss_of_targets(const Rows &rows, const V *y, const V *z, const V *weights, V delta, V *slope) {
    RowLoss sum{};
    for (int j = 0, size = 0; j < rows.outputs; j += size) {
        size = outputs_of_target(rows, j);
        const RowLoss one = size == 1 ? loss_of_outputs<BINARY_OF_LOGITS>(1, y + j, z + j, weights, 1, delta, slope + j)
                                      : loss_of_classes(size, y + j, z + j, weights, 1, slope + j);
        sum.value += one.value;
        sum.weight = one.weight;
    }
    return sum;
}

INLINE RowLoss loss_of_row(const Rows &rows, const V *y, const V *output, const V *weights, V delta, V *slope) {
    const int outputs = rows.outputs, columns = rows.weight_columns;
    switch (rows.loss) {
        case SQUARED: return loss_of_outputs<SQUARED>(outputs, y, output, weights, columns, delta, slope);
        case ABSOLUTE: return loss_of_outputs<ABSOLUTE>(outputs, y, output, weights, columns, delta, slope);
        case HUBER: return loss_of_outputs<HUBER>(outputs, y, output, weights, columns, delta, slope);
        case LOG_COSH: return loss_of_outputs<LOG_COSH>(outputs, y, output, weights, columns, delta, slope);
        case BINARY_OF_LOGITS:
            return loss_of_outputs<BINARY_OF_LOGITS>(outputs, y, output, weights, columns, delta, slope);
        case POISSON_OF_LOGITS:
            return loss_of_outputs<POISSON_OF_LOGITS>(outputs, y, output, weights, columns, delta, slope);
        case GAUSSIAN: return loss_of_gaussian(rows, y, output, weights, slope);
        case PINBALL: return loss_of_quantiles(rows, y, output, weights, slope);
        case CROSSENTROPIES_OF_LOGITS: return loss_of_targets(rows, y, output, weights, delta, slope);
        default: return loss_of_classes(outputs, y, output, weights, columns, slope);
    }
}

// The last activation, where the loss does not absorb it: z becomes the output.
INLINE void apply_head(int head, int outputs, V *z) {
    if (head == SIGMOID_HEAD)
        for (int j = 0; j < outputs; ++j) z[j] = logistic(z[j]);
    if (head == SOFTMAX_HEAD) softmax(z, outputs);
}

// The slopes in the outputs become those in what goes into the last activation.
INLINE void through_head(int head, int outputs, const V *output, V *slope) {
    V mean{};
    if (head == SOFTMAX_HEAD)
        for (int j = 0; j < outputs; ++j) mean += output[j] * slope[j];
    for (int j = 0; j < outputs; ++j) {
        if (head == SIGMOID_HEAD) slope[j] *= output[j] * (1.0f - output[j]);
        if (head == SOFTMAX_HEAD) slope[j] = output[j] * (slope[j] - mean);
    }
}

// Whether the class with the largest output is the true one.
INLINE I hits_class(int outputs, const V *y, const V *output) {
    V most = output[0], wanted = y[0];
    I said{}, is{};
    for (int j = 1; j < outputs; ++j) {
        said = output[j] > most ? splat_int(j) : said;
        is = y[j] > wanted ? splat_int(j) : is;
        most = maximum(output[j], most);
        wanted = maximum(y[j], wanted);
    }
    return said == is;
}

// 1 for a right class, of several targets the share that is right, or the mean squared error.
INLINE V metric_of_row(const Rows &rows, const V *y, const V *output) {
    const int outputs = rows.outputs, targets = rows.targets;
    if (rows.metric == SQUARES) {
        // the first level that is no less than a half is the median
        int median = 0;
        while (median + 1 < rows.level_count && rows.levels[median] < 0.5f) ++median;
        V sum{};
        for (int j = 0; j < targets; ++j) {
            const V said = output[median * targets + j];
            const V away = y[j] - (rows.loss == POISSON_OF_LOGITS ? exponential(said) : said);
            sum += away * away;
        }
        return sum * (1.0f / (float)targets);
    }
    if (rows.metric == HITS_OF_ONE) {
        const I said = output[0] > rows.threshold, is = y[0] > 0.5f;
        return only(said == is, splat(1.0f));
    }
    if (rows.metric == HITS_OF_TARGETS) {
        V hits{}, count{};
        for (int j = 0, size = 0; j < outputs; j += size) {
            size = outputs_of_target(rows, j);
            const I hit = size == 1 ? (output[j] > 0.0f) == (y[j] > 0.5f) : hits_class(size, y + j, output + j);
            hits += only(hit, splat(1.0f));
            count += 1.0f;
        }
        return hits / count;
    }
    return only(hits_class(outputs, y, output), splat(1.0f));
}
