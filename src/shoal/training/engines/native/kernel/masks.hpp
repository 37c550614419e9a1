// Which steps of the series of a tile of rows are real, by each mask of a network.

class StepMasks {
public:
    StepMasks(const Graph &graph) : graph(graph), begins((long)graph.mask_count) {
        for (int i = 0; i < graph.mask_count; ++i) begins[i] = row, row += graph.masks[i].steps;
    }

    void reserve(int tile_rows) { real.resize(tile_rows * row); }

    // The steps of a row, or null where all are real.
    const uint8_t *of(int mask, long r) const { return mask ? real.data() + r * row + begins[mask - 1] : nullptr; }

    // What the input says of a step, all of whose features are given.
    template <class T>
    void read(long r, int step, const T *features, int count) {
        uint8_t differs = 0;
        for (int c = 0; c < count; ++c) differs |= (float)features[c] != graph.mask_value;
        real[r * row + step] = differs;
    }

    // The other masks of a row, whose steps in the input have been read.
    void derive(long r) {
        for (int i = 1; i < graph.mask_count; ++i) {
            const StepMask &m = graph.masks[i];
            const int steps = graph.masks[m.from - 1].steps;
            const uint8_t *const from = of(m.from, r);
            uint8_t *const to = real.data() + r * row + begins[i];
            for (int t = 0; t < m.steps; ++t) {
                to[t] = 0;
                for (int k = 0; k < m.window; ++k) {
                    const int at = t * m.stride + k * m.dilation - m.before;
                    if (at >= 0 && at < steps) to[t] |= from[m.flips ? steps - 1 - at : at];
                }
            }
        }
    }

private:
    const Graph &graph;
    List<long> begins;
    long row = 0;  // of all masks
    List<uint8_t> real;
};
