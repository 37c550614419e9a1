// A lane block: up to LANES members of one depth, each network as wide as the widest of them.

struct Layer {
    int inputs, outputs;    // what it takes, and how many neurons it has
    long stride;            // of a row of weights, in vectors; odd, so that columns do not meet in the cache
    long weights, biases;   // where they begin among the parameters
    V *values, *slopes;     // of a tile of rows: the outputs, and their slopes, which turn into those of the cost
    int code;               // the activation of all neurons
    uint32_t mixed;         // else which there are, a bit each
    I *codes;               // and that of each neuron
    V *own;                 // 1 where a neuron is the member's own; null where all are
    V *dropped;             // what dropout made of each value, where the activation is over all neurons; else null
};

struct Block : Lanes {
    const int layers;  // with weights
    int tile_rows = 0;
    long size = 0;  // parameters, in vectors
    Layer *layer;
    V *parameters, *first, *second, *best, *gradient;
    V *y, *weights, *present, *zeros;
    V *input, *behind, *beside;  // a tile of a layer's values each, for a moment
    float *x;

    Block(const Rows &rows, Member *const *members, int count)
        : Lanes(rows, members, count, false), layers(members[0]->depth + 1), layer(new Layer[layers]) {
        const long widest = shape();
        place(widest);
        move_parameters<true>();
        for (int l = 0; l + 1 < layers; ++l) read_activations(l);
    }
    ~Block() { delete[] layer; }

    void write_back() {
        move_parameters<false>();
        write_progress();
    }

private:
    Memory memory;

    long shape() {  // returns the widest stride
        long widest = 0;
        for (int l = 0; l < layers; ++l) {
            Layer &at = layer[l];
            at = Layer{};
            for (int lane = 0; lane < count; ++lane) {
                const Member &m = *members[lane];
                if (m.inputs[l] > at.inputs) at.inputs = m.inputs[l];
                if (m.neurons[l] > at.outputs) at.outputs = m.neurons[l];
            }
            at.stride = at.outputs | 1;
            at.weights = size;
            at.biases = size + at.inputs * at.stride;
            size = at.biases + at.stride;
            if (at.stride > widest) widest = at.stride;
        }
        return widest;
    }

    void place(long widest) {
        long values = 0;
        for (int l = 0; l < layers; ++l) values += layer[l].stride;
        // a tile of rows keeps the weights in use, and its values stay in the second-level cache
        constexpr long CACHE = 262144, FEWEST = 32;
        long tile = CACHE / (long)sizeof(V) / (2 * values + 1) & ~3L;
        if (tile < FEWEST) tile = FEWEST;
        tile_rows = (int)(tile < rows.batch ? tile : rows.batch);
        const long inputs = ((long)tile_rows * rows.inputs + LANES - 1) / LANES;
        const long of_row = 2 * values + rows.y_columns + rows.weight_columns + 1 + 3 * widest;
        long flags = 0;
        for (int l = 0; l + 1 < layers; ++l) flags += (2 + tile_rows) * layer[l].stride;
        memory.reserve(5 * size + tile_rows * of_row + inputs + flags + widest);
        for (V **each : {&parameters, &first, &second, &best, &gradient}) *each = memory.take(size);
        for (int l = 0; l < layers; ++l) {
            layer[l].values = memory.take(tile_rows * layer[l].stride);
            layer[l].slopes = memory.take(tile_rows * layer[l].stride);
        }
        y = memory.take((long)tile_rows * rows.y_columns);
        weights = memory.take((long)tile_rows * rows.weight_columns);
        present = memory.take(tile_rows);
        for (V **each : {&input, &behind, &beside}) *each = memory.take(tile_rows * widest);
        x = reinterpret_cast<float *>(memory.take(inputs));
        zeros = memory.take(widest);
        for (int l = 0; l + 1 < layers; ++l) {
            layer[l].codes = reinterpret_cast<I *>(memory.take(layer[l].stride));
            layer[l].own = memory.take(layer[l].stride);
            layer[l].dropped = memory.take(tile_rows * layer[l].stride);
        }
    }

    // Between the members' own arrays and the lanes, one vector after the other.
    template <bool IN>
    void move_parameters() {
        for (int kind = 0; kind < 4; ++kind) {
            V *const here = kind == 0 ? parameters : kind == 1 ? first : kind == 2 ? second : best;
            float *at[LANES];
            for (int lane = 0; lane < count; ++lane) {
                const Member &m = *members[lane];
                at[lane] = kind == 0 ? m.parameters : kind == 1 ? m.first : kind == 2 ? m.second : m.best;
            }
            for (int l = 0; l < layers; ++l)
                for (int i = 0; i <= layer[l].inputs; ++i) move_row<IN>(l, i, here, at);
        }
    }

    template <bool IN>
    void move_row(int l, int i, V *here, float **at) {  // the row behind the weights holds the biases
        const Layer &in = layer[l];
        V *const row = here + (i < in.inputs ? in.weights + i * in.stride : in.biases);
        const int constants = l == layers - 1 && i < in.inputs ? rows.constants : 0;  // only biases belong to those
        int widths[LANES];
        for (int lane = 0; lane < count; ++lane)
            widths[lane] = i == in.inputs || i < members[lane]->inputs[l] ? members[lane]->neurons[l] - constants : 0;
        for (int j = 0; j < in.outputs; ++j)
            for (int lane = 0; lane < count; ++lane) {
                if (j >= widths[lane]) continue;
                if (IN) set_lane(row[j], lane, *at[lane]++);
                else *at[lane]++ = row[j][lane];
            }
    }

    void read_activations(int l) {
        Layer &at = layer[l];
        bool mixed_widths = false;
        for (int lane = 0; lane < LANES; ++lane) {
            const Member &m = *members[lane < count ? lane : count - 1];
            const int32_t *codes = m.activations;
            for (int before = 0; before < l; ++before) codes += m.neurons[before];
            const int width = m.neurons[l];
            mixed_widths |= width != at.outputs;
            if (lane == 0) at.code = codes[0];
            for (int j = 0; j < at.outputs; ++j) {
                const int32_t code = codes[j < width ? j : 0];
                at.mixed |= 1u << code;
                set_lane(at.codes[j], lane, code);
                set_lane(at.own[j], lane, j < width ? 1.0f : 0.0f);
            }
        }
        if (at.mixed == 1u << at.code) at.mixed = 0;
        if (!mixed_widths) at.own = nullptr;
        if (!is_across(at.code)) at.dropped = nullptr;
    }
};
