// One who works on parts of batches of a network of any layers, and the chunk of epochs.

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
class NetworkWorker : protected NetworkInputs<SINGLE> {
    using Base = NetworkInputs<SINGLE>;
    using Element = typename Base::Element;

public:
    using Base::Base;

    // The gradient and the loss of some rows of a batch, the first of which is number `first` in it.
    Sums train_rows(const int32_t *indices, int count, int first, I steps, V *gradient) {
        Sums sums{};
        this->steps = steps;
        clear(gradient, count == 0);
        for (int from = 0; from < count; from += tile_rows) {
            const int tile = count - from < tile_rows ? count - from : tile_rows;
            this->load(rows.x, indices + from, tile, first + from, true);
            for (int g = 0; g < this->groups(tile); ++g) {
                const At at = rows_of(indices + from, g, tile);
                present[g] = only(real(g, tile), this->Lanes::present(at));
                for (int t = 0; t < rows.time; ++t) this->see(at.step(t, rows.time), present[g], y_of(g, t), weights_of(g, t));
                add_rows(sums.number, present[g]);
            }
            forward(tile, first + from, true);
            for (int g = 0; g < this->groups(tile); ++g) add_rows(sums.loss, loss(g, tile, nullptr).value);
            backward(tile, gradient, from == 0);
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
            this->load(rows.validation_x, numbers.data(), tile, from, false);
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

    // What the last operation makes of some rows of a network that is not trained, before the last activation.
    void predict_rows(int begin, int end, float *outputs) {
        List<int32_t> numbers(tile_rows);
        for (int from = begin; from < end; from += tile_rows) {
            const int tile = end - from < tile_rows ? end - from : tile_rows;
            for (int i = 0; i < tile; ++i) numbers[i] = from + i;
            this->load(rows.x, numbers.data(), tile, from, false);
            operate(tile, from, false);
            for (int i = 0; i < tile; ++i)
                for (int j = 0; j < rows.outputs; ++j) outputs[(long)(from + i) * rows.outputs + j] = this->last().value(i, j);
        }
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

    void forward(int tile, int from, bool training) {
        operate(tile, from, training);
        for (int g = 0; g < this->groups(tile); ++g)
            for (int t = 0; t < rows.time; ++t) gather_outputs(g, t, tile);
    }

    void operate(int tile, int from, bool training) {
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

    // Products for the weights of convolutions begin anew by themselves.
    void clear(V *gradient, bool all) const {
        if (all) return fill(gradient, 0, this->size);
        for (long i = 0; i < plans.size(); ++i)
            fill(gradient, plans[i].kind == CONVOLUTION ? plans[i].biases : plans[i].weights, this->end_of(i));
    }

    static void fill(V *vectors, long begin, long end) {
        for (long i = begin; i < end; ++i) vectors[i] = V{};
    }

    void backward(int tile, V *gradient, bool begins) {
        for (int g = 0; g < this->groups(tile); ++g)
            for (int t = 0; t < rows.time; ++t) scatter_slopes(g, t, tile);
        for (long i = plans.size(); i-- > 0;) {
            const Plan &p = plans[i];
            const Buffer<SINGLE> &in = buffers[p.from], &out = buffers[p.to];
            if (p.from == 0 && p.kind != CONVOLUTION && p.kind != RECURRENCE) continue;  // nobody needs slopes in the inputs
            switch (p.kind) {
                case CONVOLUTION:
                    if (p.activation != CODE_linear && !p.masked) this->through_activation(p, out, out, tile);
                    if (p.from == 0) {
                        this->slopes_of_weights(p, in, (const float *)input, out, gradient, tile, begins);
                    } else {
                        this->slopes_of_weights(p, in, (const Element *)in.values, out, gradient, tile, begins);
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
        for (const Plan &p : plans)
            for (int piece = 0; piece < this->pieces_to_turn(p); ++piece) turns.append({&p, piece});
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
    struct Turn {
        const Plan *plan;
        int piece;
    };
    List<Turn> turns;  // of the weights
    const int32_t *indices = nullptr;  // of a batch; null: validation rows
    int count = 0;                     // of its rows
    I before{};                        // steps that were taken before it; the first worker sets its own meanwhile

    void train_epoch(const int32_t *order, int number) {
        V total{}, seen{};
        this->running = this->status == RUNNING;
        for (int step = 0; step < rows.steps; ++step) train_batch(order + (long)step * rows.batch, total, seen);
        V curves[5] = {total / seen};
        validate(curves + 1);
        const I better = this->judge(curves);
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
        turn_weights();
        const Sums all = work_on(batch, filled);
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

    // Calls `work(begin, end)` for parts of so many pieces, on all cores where that is worth while: each keeps its part
    // from step to step, so that what it wrote is in its cache.
    template <class Work>
    void share(long pieces, long vectors, const Work &work) {
        constexpr long ENOUGH = 512;  // vectors
        const long cores = vectors < ENOUGH ? 1 : team.size();
        auto part = [&](int i) { work(pieces * i / cores, pieces * (i + 1) / cores); };
        if (cores == 1) return part(0);
        team.run((int)cores, [](void *data, int, int i) { (*static_cast<decltype(part) *>(data))(i); }, &part);
    }

    void turn_weights() {
        share(turns.size(), this->turned_size, [&](long begin, long end) {
            for (long i = begin; i < end; ++i) Base::turn_weights(*turns[i].plan, turns[i].piece);
        });
    }

    // A piece at a time, which stays in the first-level cache from the sum of the parts to the step.
    void take_step_of(const Step &of_all) {
        constexpr long PIECE = 64;
        bool summed = false;
        this->update(of_all, [&](int code, const Step &step) {
            share(this->size, this->size, [&](long from, long to) {
                for (long begin = from; begin < to; begin += PIECE) {
                    const long end = begin + PIECE < to ? begin + PIECE : to;
                    for (int part = 1; part < this->parts() && !summed; ++part)
                        for (long k = begin; k < end; ++k) gradients[0][k] += gradients[part][k];
                    take_step_between(code, step, begin, end);
                }
            });
            summed = true;
        });
    }

    void take_step_between(int code, const Step &step, long begin, long end) {
        const Vectors vectors{parameters, this->first, this->second, gradients[0]};
        for (const Plan &p : plans) {
            if (!p.trained) continue;
            const long from = p.weights > begin ? p.weights : begin, to = p.biases < end ? p.biases : end;
            if (from < to && this->penalised)
                take_step<true>(code, vectors, from, to - from, this->l2_of_weight, this->l1_of_weight, step, own);
            else if (from < to)
                take_step<false>(code, vectors, from, to - from, V{}, V{}, step, own);
            const long first = p.biases > begin ? p.biases : begin, behind = p.biases + p.bias_vectors;
            const long last = behind < end ? behind : end;
            if (p.bias && first < last) take_step<false>(code, vectors, first, last - first, V{}, V{}, step, own);
        }
    }
};
