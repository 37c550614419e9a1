// A chunk of epochs of one lane block: forward, loss, backward and the optimizer's step for each mini-batch.

class Training : Block {
public:
    using Block::Block;

    void run(int turn, int epochs) {
        for (int i = 0; i < epochs && any(status == RUNNING); ++i)
            train_epoch(rows.orders + (long)((turn + i) % rows.order_count) * rows.steps * rows.batch, i);
        write_back();
    }

private:
    void train_epoch(const int32_t *order, int number) {
        V total{}, seen{};
        running = status == RUNNING;
        for (int step = 0; step < rows.steps; ++step) train_batch(order + (long)step * rows.batch, total, seen);
        V curves[5] = {total / seen};
        validate(curves + 1);
        const I better = judge(curves);
        if (any(better))
            for (long i = 0; i < size; ++i) best[i] = select(better, parameters[i], best[i]);
        write_curves(curves, number);
    }

    void train_batch(const int32_t *indices, V &total, V &seen) {
        V sum{}, number{};
        if (indices[0] < 0) return;
        for (int from = 0; from < rows.batch && indices[from] >= 0; from += tile_rows) {
            int tile = 0;
            while (tile < tile_rows && from + tile < rows.batch && indices[from + tile] >= 0) ++tile;
            gather(indices + from, tile);
            forward<true>(tile, from);
            for (int i = 0; i < tile; ++i) {
                sum += loss(i).value;
                number += present[i];
            }
            backward(tile, from == 0);
        }
        const V mean = sum / maximum(number, splat(1.0f));
        take_step_of(step_of(mean, number));
        total += only(number > 0.0f, finished(mean) * number);
        seen += number;
    }

    // The rows of a tile as each member sees them.
    void gather(const int32_t *indices, int tile) {
        for (int i = 0; i < tile; ++i) {
            const OneRow at{indices[i]};
            for (int j = 0; j < rows.inputs; ++j) x[(long)i * rows.inputs + j] = rows.x[at.row * rows.inputs + j];
            present[i] = Lanes::present(at);
            see(at, present[i], y + i * rows.y_columns, weights + i * rows.weight_columns);
        }
    }

    // From the inputs of a tile of rows to what goes into the last activation.
    template <bool TRAINING>
    void forward(int tile, int from) {
        for (int l = 0; l < layers; ++l) {
            const Layer &at = layer[l];
            const View<const V> kernel{parameters + at.weights, at.stride, 1}, bias{parameters + at.biases, 0, 1};
            const View<V> out{at.values, at.stride, 1};
            if (l == 0)
                product<float>(tile, at.outputs, at.inputs, {x, at.inputs, 1}, kernel, bias, out);
            else
                product<V>(tile, at.outputs, at.inputs, {layer[l - 1].values, layer[l - 1].stride, 1}, kernel, bias, out);
            if (l + 1 == layers) break;
            activate_layer<TRAINING>(at, tile);
            if (TRAINING && uses_dropout) drop(at, tile, from, 2 * l + 1);
        }
        for (int i = 0; i < tile; ++i) apply_head(rows.head, rows.outputs, layer[layers - 1].values + i * layer[layers - 1].stride);
    }

    template <bool TRAINING>
    void activate_layer(const Layer &at, int tile) {
        const int all = tile * (int)at.stride;
        V *slopes = TRAINING ? at.slopes : nullptr;
        if (is_across(at.code)) {
            for (int i = 0; i < tile; ++i) {
                const long row = i * at.stride;
                activate_across(at.code, at.outputs, at.values + row, slopes ? slopes + row : nullptr);
            }
        } else if (at.mixed)
            mix_activations(at, tile, slopes);
        else
            activate_all(at.code, at.values, at.values, slopes, all);
        if (at.own)  // a neuron that is not the member's own stays silent
            for (int i = 0; i < tile; ++i)
                for (int j = 0; j < at.outputs; ++j) at.values[i * at.stride + j] *= at.own[j];
    }

    // Every activation that a member has, for all; each neuron takes its own.
    void mix_activations(const Layer &at, int tile, V *slopes) {
        const int all = tile * (int)at.stride;
        for (int i = 0; i < all; ++i) input[i] = at.values[i];
        for (int code = 0; code < ACTIVATION_COUNT; ++code) {
            if (!(at.mixed >> code & 1)) continue;
            activate_all(code, input, behind, slopes ? beside : nullptr, all);
            for (int j = 0; j < at.outputs; ++j) {
                const I chosen = at.codes[j] == code;
                for (int i = j; i < all; i += (int)at.stride) {
                    at.values[i] = select(chosen, behind[i], at.values[i]);
                    if (slopes) slopes[i] = select(chosen, beside[i], slopes[i]);
                }
            }
        }
    }

    void drop(const Layer &at, int tile, int from, uint32_t source) {
        const U when = (U)steps * 256u + source;
        const V kept = 1.0f / (1.0f - own.dropout);
        const int next = handed_on(at.code, at.outputs);
        for (int i = 0; i < tile; ++i)
            for (int j = 0; j < next; j += 2) {
                const uint32_t where = (uint32_t)(from + i) * 65536u + (uint32_t)(j / 2);
                const Words words = threefry(own.key, splat_bits(where), when);
                for (int k = 0; k < 2 && j + k < next; ++k) {
                    const V factor = only(to_uniform(k ? words.second : words.first) >= own.dropout, kept);
                    at.values[i * at.stride + j + k] *= factor;
                    if (at.dropped)
                        at.dropped[i * at.stride + j + k] = factor;
                    else
                        at.slopes[i * at.stride + j + k] *= factor;
                }
            }
    }

    // The loss of a row; its slopes become those in what goes into the last activation.
    RowLoss loss(int i) {
        const Layer &last = layer[layers - 1];
        const V *output = last.values + i * last.stride;
        V *slope = last.slopes + i * last.stride;
        const RowLoss found = loss_of_row(rows, y + i * rows.y_columns, output, weights + i * rows.weight_columns, own.huber_delta, slope);
        through_head(rows.head, rows.outputs, output, slope);
        return found;
    }

    void backward(int tile, bool begins) {
        for (int l = layers - 1; l >= 0; --l) {
            const Layer &at = layer[l];
            const View<const V> delta{at.slopes, at.stride, 1};
            const View<V> kernel{gradient + at.weights, at.stride, 1};
            const View<const V> so_far{begins ? zeros : kernel.at, begins ? 0 : kernel.row, 1};
            if (l == 0)
                product<float>(at.inputs, at.outputs, tile, {x, 1, at.inputs}, delta, so_far, kernel);
            else
                product<V>(at.inputs, at.outputs, tile, {layer[l - 1].values, 1, layer[l - 1].stride}, delta, so_far, kernel);
            if (l == layers - 1)  // constants take no inputs
                for (int i = 0; i < at.inputs; ++i)
                    for (int j = at.outputs - rows.constants; j < at.outputs; ++j) kernel.at[i * kernel.row + j] = V{};
            V *bias = gradient + at.biases;
            for (int j = 0; j < at.outputs; ++j) {
                V sum = begins ? V{} : bias[j];
                for (int i = 0; i < tile; ++i) sum += at.slopes[i * at.stride + j];
                bias[j] = sum;
            }
            if (l > 0) through_layer(at, layer[l - 1], tile);
        }
    }

    // The slopes in what goes into a layer's activation become those of the layer before.
    void through_layer(const Layer &at, const Layer &before, int tile) {
        const View<const V> delta{at.slopes, at.stride, 1}, turned{parameters + at.weights, 1, at.stride}, none{zeros, 0, 1};
        product<V>(tile, at.inputs, at.outputs, delta, turned, none, {behind, before.stride, 1});
        for (int i = 0; i < tile; ++i) {
            const long row = i * before.stride;
            if (before.dropped) {
                for (int j = 0; j < at.inputs && uses_dropout; ++j) behind[row + j] *= before.dropped[row + j];
                through_across(before.code, before.outputs, behind + row, before.slopes + row);
            } else {
                for (int j = 0; j < at.inputs; ++j) before.slopes[row + j] *= behind[row + j];
            }
        }
    }

    void take_step_of(const Step &of_all) {
        const Vectors vectors{parameters, first, second, gradient};
        update(of_all, [&](int code, const Step &step) {
            for (int l = 0; l < layers; ++l) {
                const Layer &at = layer[l];
                const long weights = at.inputs * at.stride;
                if (penalised)
                    take_step<true>(code, vectors, at.weights, weights, l2_of_weight, l1_of_weight, step, own);
                else
                    take_step<false>(code, vectors, at.weights, weights, V{}, V{}, step, own);
                take_step<false>(code, vectors, at.biases, at.stride, V{}, V{}, step, own);
            }
        });
    }

    // The validation loss, that of each half, and the metric.
    void validate(V *found) {
        V sums[2] = {}, weight[2] = {}, metric{};
        for (int from = 0; from < rows.validation_rows; from += tile_rows) {
            const int tile = rows.validation_rows - from < tile_rows ? rows.validation_rows - from : tile_rows;
            gather_validation(from, tile);
            forward<false>(tile, 0);
            for (int i = 0; i < tile; ++i) {
                const int half = rows.validation_half[from + i];
                const RowLoss one = loss(i);
                const V *output = layer[layers - 1].values + i * layer[layers - 1].stride;
                sums[half] += one.value;
                weight[half] += one.weight;
                metric += one.weight * metric_of_row(rows, y + i * rows.y_columns, output);
            }
        }
        const V least = splat(1e-12f), all = weight[0] + weight[1];
        found[0] = finished((sums[0] + sums[1]) / all);
        for (int half = 0; half < 2; ++half) found[1 + half] = finished(sums[half] / maximum(weight[half], least));
        found[3] = metric / all;
    }

    void gather_validation(int from, int tile) {
        for (int i = 0; i < tile; ++i) {
            const OneRow at{from + i};
            for (int j = 0; j < rows.inputs; ++j)
                x[(long)i * rows.inputs + j] = rows.validation_x[at.row * rows.inputs + j];
            see_validation(at, at, y + i * rows.y_columns, weights + i * rows.weight_columns);
        }
    }
};
