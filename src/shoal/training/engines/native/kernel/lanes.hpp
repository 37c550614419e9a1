// What the members of a block bring with them: their numbers, how far they are, and how they see their rows.

// Where the lanes of a vector read: the same row for all members, or a row in each lane for a single one.
struct OneRow {
    long row;
    long of(int) const { return row; }
    OneRow step(int t, int time) const { return {row * time + t}; }
    V load(const float *from, long width, long column) const { return splat(from[row * width + column]); }
    U numbers(int32_t first) const { return splat_bits((uint32_t)(first + row)); }
};

struct RowOfEachLane {
    int32_t row[LANES];
    long of(int lane) const { return row[lane]; }
    RowOfEachLane step(int t, int time) const {
        RowOfEachLane at;
        for (int lane = 0; lane < LANES; ++lane) at.row[lane] = row[lane] * time + t;
        return at;
    }
    V load(const float *from, long width, long column) const {
        V x;
        for (int lane = 0; lane < LANES; ++lane) x[lane] = from[row[lane] * width + column];
        return x;
    }
    U numbers(int32_t first) const {
        U x;
        for (int lane = 0; lane < LANES; ++lane) x[lane] = (uint32_t)(first + row[lane]);
        return x;
    }
};

struct Lanes {
    const Rows &rows;
    Member *const *members;
    const int count;  // of members
    Numbers own{};
    V l2_of_weight{}, l1_of_weight{}, momentum_product{}, best_loss{};
    I epoch{}, best_epoch{}, steps{}, status{}, running{};
    bool uses_dropout = false, uses_optimizer[LION + 1] = {}, resamples = false, penalised = false;

    // A single member has all lanes; of several, idle lanes repeat the last and never run.
    Lanes(const Rows &rows, Member *const *members, int count, bool single) : rows(rows), members(members), count(count) {
        for (int lane = 0; lane < LANES; ++lane) {
            const Member &m = *members[lane < count ? lane : count - 1];
            read_numbers(m, lane, lane < count || single ? m.status : (int32_t)FINISHED);
        }
    }
    Lanes(const Lanes &) = delete;
    Lanes &operator=(const Lanes &) = delete;

    void write_progress() const {
        for (int lane = 0; lane < count; ++lane) {
            Member &m = *members[lane];
            m.momentum_product = momentum_product[lane], m.best_loss = best_loss[lane];
            m.epoch = epoch[lane], m.best_epoch = best_epoch[lane], m.steps = steps[lane], m.status = status[lane];
        }
    }

    void write_curves(const V *curves, int number) const {
        for (int lane = 0; lane < count; ++lane)
            if (running[lane])
                for (int i = 0; i < 5; ++i) members[lane]->curves[5 * number + i] = curves[i][lane];
    }

    // How often a member counts a row.
    template <class At>
    V present(const At &at) const {
        const V once = splat(1.0f);
        V counts = rows.folds ? only(~held_out(rows.folds, at), once) : once;
        if (resamples) counts *= select(own.bootstrap, bootstrap_count(own.bootstrap_key, at.numbers(0)), once);
        return counts;
    }

    // The targets of a row and the weights of them, as they are while training.
    template <class At>
    void see(const At &at, V present, V *y, V *weights) const {
        const bool smooths = rows.loss == BINARY_OF_LOGITS || rows.loss == CATEGORICAL_OF_LOGITS ||
                             rows.loss == CROSSENTROPIES_OF_LOGITS;
        const float classes = rows.loss == BINARY_OF_LOGITS ? 2.0f : (float)rows.y_columns;
        for (int j = 0; !rows.reconstruct && j < rows.y_columns; ++j) {
            V target = at.load(rows.y, rows.y_columns, j);
            if (rows.y_err) target += redrawn(at.load(rows.y_err, rows.y_columns, j), at.numbers(0), j);
            if (rows.y_noise && j == 0) target += drawn_before(rows.y_noise, at);
            const float among = rows.class_counts ? (float)rows.class_counts[j] : classes;
            if (smooths) target = target * (1.0f - own.label_smoothing) + own.label_smoothing / among;
            y[j] = target;
        }
        for (int j = 0; j < rows.weight_columns; ++j) weights[j] = present * at.load(rows.weights, rows.weight_columns, j);
    }

    // The same of a validation row, or of one of its steps.
    template <class At>
    void see_validation(const At &of_row, const At &at, V *y, V *weights) const {
        const V once = splat(1.0f);
        const V seen = rows.folds ? only(held_out(rows.validation_folds, of_row), once) : once;
        for (int j = 0; !rows.reconstruct && j < rows.y_columns; ++j) {
            V target = at.load(rows.validation_y, rows.y_columns, j);
            if (rows.validation_y_err) {
                const V error = at.load(rows.validation_y_err, rows.y_columns, j);
                target += redrawn(error, at.numbers(rows.validation_from), j);
            }
            if (rows.validation_y_noise && j == 0) target += drawn_before(rows.validation_y_noise, at);
            y[j] = target;
        }
        for (int j = 0; j < rows.weight_columns; ++j)
            weights[j] = seen * at.load(rows.validation_weights, rows.weight_columns, j);
    }

    V finished(V mean) const { return rows.root ? select(mean > 0.0f, root(mean), 0.0f * mean) : mean; }

    // What a step takes from the mean loss of so many rows; a batch without rows of the member is none.
    Step step_of(V mean, V number) const {
        Step step{};
        step.scale = 1.0f / maximum(number, splat(1.0f));
        if (rows.root) step.scale *= only(mean > 0.0f, 0.5f / root(mean));
        step.active = (number > 0.0f) & running;
        return step;
    }

    // Prepare the step of each optimizer that a member has, and take it: `take(code, step)`.
    template <class Take>
    void update(Step step, const Take &take) {
        const V done = to_float(steps), t = done + 1.0f;
        const I takes = step.active;
        step.rate = learning_rate(own, done);
        for (int code = SGD; code <= LION; ++code) {
            if (!uses_optimizer[code]) continue;
            step.active = takes & (own.optimizer == code);
            prepare(code, step, own, t, momentum_product);
            take(code, step);
        }
        steps -= takes;
    }

    // Find who goes on, and return for whom this was the best epoch: curves are training loss, validation loss, its halves.
    I judge(const V *curves) {
        const V most = splat(3.4028235e38f);
        const I finite = (absolute(curves[0]) <= most) & (absolute(curves[1]) <= most);
        const V loss = select(own.half < 0, curves[1], select(own.half == 0, curves[2], curves[3]));
        const I better = finite & (loss < best_loss) & running;
        epoch -= running;
        best_loss = select(better, loss, best_loss);
        best_epoch = better ? epoch : best_epoch;
        const I stopped = epoch - best_epoch >= own.patience, finished = epoch >= own.max_epochs;
        const I ended = finished ? splat_int(FINISHED) : stopped ? splat_int(STOPPED_EARLY) : splat_int(RUNNING);
        status = running ? (finite ? ended : splat_int(DIVERGED)) : status;
        return better;
    }

private:
    void read_numbers(const Member &m, int lane, int32_t begins) {
        const struct { V &to; float from; } numbers[] = {
            {own.learning_rate, m.learning_rate}, {own.momentum, m.momentum}, {own.nesterov, m.nesterov},
            {own.beta_1, m.beta_1}, {own.beta_2, m.beta_2}, {own.rho, m.rho}, {own.epsilon, m.epsilon},
            {own.weight_decay, m.weight_decay}, {own.warmup_steps, m.warmup_steps},
            {own.total_steps, m.total_steps}, {own.final_fraction, m.final_fraction},
            {own.label_smoothing, m.label_smoothing}, {own.huber_delta, m.huber_delta}, {own.dropout, m.dropout},
            {own.replica, m.replica}, {l2_of_weight, m.l2 / m.weights}, {l1_of_weight, m.l1 / m.weights},
            {momentum_product, m.momentum_product}, {best_loss, m.best_loss},
        };
        for (const auto &each : numbers) set_lane(each.to, lane, each.from);
        const struct { I &to; int32_t from; } integers[] = {
            {own.optimizer, m.optimizer}, {own.schedule, m.schedule}, {own.fold, m.fold}, {own.column, m.column},
            {own.bootstrap, -(m.bootstrap != 0)}, {own.max_epochs, m.max_epochs}, {own.patience, m.patience}, {own.draw, m.draw}, {own.half, m.half},
            {epoch, m.epoch}, {best_epoch, m.best_epoch}, {steps, m.steps}, {status, begins},
        };
        for (const auto &each : integers) set_lane(each.to, lane, each.from);
        for (int i = 0; i < 2; ++i) {
            set_lane(own.key[i], lane, m.key[i]);
            set_lane(own.bootstrap_key[i], lane, m.bootstrap_key[i]);
            set_lane(own.replica_key[i], lane, m.replica_key[i]);
        }
        uses_dropout |= m.dropout > 0.0f;
        uses_optimizer[m.optimizer] = true;
        resamples |= m.bootstrap != 0;
        penalised |= m.l1 != 0.0f || m.l2 != 0.0f;
    }

    // What a redrawn target differs by from that measured.
    V redrawn(V error, U row, int output) const {
        return error * own.replica * target_noise(own.replica_key, row, (uint32_t)output);
    }

    // The same where the errors of rows are correlated, so that all draws were made together.
    template <class At>
    V drawn_before(const float *draws, const At &at) const {
        V noise{};
        for (int lane = 0; lane < LANES; ++lane) noise[lane] = draws[at.of(lane) * rows.draws + own.draw[lane]];
        return own.replica * noise;
    }

    template <class At>
    I held_out(const int32_t *folds, const At &at) const {
        I fold{};
        for (int lane = 0; lane < LANES; ++lane) fold[lane] = folds[at.of(lane) * rows.columns + own.column[lane]];
        return fold == own.fold;
    }
};
