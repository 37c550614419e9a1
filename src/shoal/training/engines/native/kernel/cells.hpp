// What recurrent layers compute of a unit at a step, forward and backward, and how their gates are laid down.

// The sizes of a recurrence, in vectors where nothing else is said. Rows and places have an odd number of them, so that
// they do not collide in the caches.
struct CellShape {
    int steps = 0, features = 0, units = 0, vectors = 0;  // the last of the units
    int gates = 0, slots = 0;                  // products of a unit; what is kept of it
    int of_state[2] = {}, state_slot[2] = {};  // products of the state, which may come in two parts; where each begins
    int per_block = 1, states = 1;             // units of a block; kept vectors of a unit, hidden and cell

    int blocks() const { return (vectors + per_block - 1) / per_block; }
    int wide(int b) const { return vectors - b * per_block < per_block ? vectors - b * per_block : per_block; }
    long begin(int b) const { return (long)b * slots * per_block; }   // of a block in a place
    long column(int b) const { return (long)b * gates * per_block; }  // of a block among the products
    int parts() const { return of_state[1] ? 2 : 1; }
    long part_begin(int part) const { return part ? (long)of_state[0] * vectors : 0; }  // among the products of the state
    long part_column(int part, int b) const { return part_begin(part) + (long)b * of_state[part] * per_block; }
    long part_depth(int part, int per) const { return (long)of_state[part] * vectors * per; }
    long place() const { return (long)slots * vectors | 1; }
    long row() const { return (long)steps * place() | 1; }
    long state_row() const { return (steps + 1L) * vectors | 1; }
    long slope_row() const { return 2L * vectors; }
    long product_row() const { return (long)gates * vectors | 1; }
    long depth(int per) const { return (long)gates * vectors * per; }  // of the products by which slopes go back
    long kept() const { return row() + states * state_row() + slope_row() + product_row(); }
};

template <bool USUAL>
struct Squashing {  // USUAL: tanh, and sigmoid for gates, whose slopes follow from their values; else z is kept
    int activation, gate;

    static Activated of(int code, V z) {
        Activated found;
        activate_all(code, &z, &found.value, &found.slope, 1);
        return found;
    }
    V keep_gate(V z) const { return USUAL ? logistic(z) : z; }
    V keep_new(V z) const { return USUAL ? hyperbolic_tangent(z) : z; }
    Activated of_gate(V kept) const {
        if constexpr (USUAL) return {kept, kept * (1.0f - kept)};
        else return of(gate, kept);
    }
    Activated of_new(V kept) const {
        if constexpr (USUAL) return {kept, 1.0f - kept * kept};
        else return of(activation, kept);
    }
    Activated of_state(V z) const {
        if constexpr (USUAL) return activate_tanh(z);
        else return of(activation, z);
    }
};

// One vector of units at one step: slots are `wide` apart.
struct CellAt {
    V *slots;
    const V *product, *second;  // of the state, by parts
    int wide;
    const V *before;   // the hidden state
    V *after;
    V *cell_before, *cell_after;  // of LSTM; before: of a GRU that resets before the product, the state that is left
    V *slope, *cell_slope;        // of the hidden state and the cell behind this step, then of those before it
    const V *left_slope;          // of the state that is left
};

template <int CELL, bool USUAL>
INLINE void cell_forward(const Squashing<USUAL> &squash, const CellAt &at) {
    V *const z = at.slots;
    const V *const p = at.product;
    const int w = at.wide;
    if constexpr (CELL == SIMPLE_CELL) {
        z[0] = squash.keep_new(z[0] + p[0]);
        *at.after = squash.of_new(z[0]).value;
    } else if constexpr (CELL == LSTM_CELL) {
        z[0] = squash.keep_gate(z[0] + p[0]), z[w] = squash.keep_gate(z[w] + p[w]);
        z[2 * w] = squash.keep_new(z[2 * w] + p[2 * w]), z[3 * w] = squash.keep_gate(z[3 * w] + p[3 * w]);
        const V stays = squash.of_gate(z[w]).value * *at.cell_before;
        const V cell = stays + squash.of_gate(z[0]).value * squash.of_new(z[2 * w]).value;
        *at.cell_after = cell;
        *at.after = squash.of_gate(z[3 * w]).value * squash.of_state(cell).value;
    } else if constexpr (CELL == GRU_BEFORE_CELL) {
        z[0] = squash.keep_new(z[0] + *at.second);
        const V update = squash.of_gate(z[w]).value;
        *at.after = update * *at.before + (1.0f - update) * squash.of_new(z[0]).value;
    } else {
        z[w] = squash.keep_gate(z[w] + p[0]), z[2 * w] = squash.keep_gate(z[2 * w] + p[w]);
        z[3 * w] = p[2 * w];
        z[0] = squash.keep_new(z[0] + squash.of_gate(z[2 * w]).value * z[3 * w]);
        const V update = squash.of_gate(z[w]).value;
        *at.after = update * *at.before + (1.0f - update) * squash.of_new(z[0]).value;
    }
}

template <int CELL, bool USUAL>
INLINE void cell_backward(const Squashing<USUAL> &squash, const CellAt &at) {
    V *const z = at.slots;
    const int w = at.wide;
    const V slope = *at.slope;
    if constexpr (CELL == SIMPLE_CELL) {
        z[0] = slope * squash.of_new(z[0]).slope;
        *at.slope = V{};
    } else if constexpr (CELL == LSTM_CELL) {
        const Activated take = squash.of_gate(z[0]), forget = squash.of_gate(z[w]);
        const Activated fresh = squash.of_new(z[2 * w]), show = squash.of_gate(z[3 * w]);
        const Activated cell = squash.of_state(*at.cell_after);
        const V of_cell = *at.cell_slope + slope * show.value * cell.slope;
        z[0] = of_cell * fresh.value * take.slope, z[w] = of_cell * *at.cell_before * forget.slope;
        z[2 * w] = of_cell * take.value * fresh.slope, z[3 * w] = slope * cell.value * show.slope;
        *at.cell_slope = of_cell * forget.value;
        *at.slope = V{};
    } else if constexpr (CELL == GRU_BEFORE_CELL) {
        const Activated fresh = squash.of_new(z[0]), update = squash.of_gate(z[w]);
        z[0] = slope * (1.0f - update.value) * fresh.slope;
        z[w] = slope * (*at.before - fresh.value) * update.slope;
        *at.slope = slope * update.value;
    } else {
        const Activated fresh = squash.of_new(z[0]), update = squash.of_gate(z[w]), reset = squash.of_gate(z[2 * w]);
        const V of_new = slope * (1.0f - update.value) * fresh.slope;
        z[0] = of_new, z[w] = slope * (*at.before - fresh.value) * update.slope;
        z[2 * w] = of_new * z[3 * w] * reset.slope, z[3 * w] = of_new * reset.value;
        *at.slope = slope * update.value;
    }
}

// Of a GRU that resets before the product: its gates, and the state that they leave.
template <bool USUAL>
INLINE void reset_forward(const Squashing<USUAL> &squash, const CellAt &at) {
    V *const z = at.slots + at.wide;
    z[0] = squash.keep_gate(z[0] + at.product[0]), z[at.wide] = squash.keep_gate(z[at.wide] + at.product[at.wide]);
    *at.cell_before = squash.of_gate(z[at.wide]).value * *at.before;
}

// From the slopes in the state that was left, which are where its product was.
template <bool USUAL>
INLINE void reset_backward(const Squashing<USUAL> &squash, const CellAt &at) {
    V &z = at.slots[2 * at.wide];
    const Activated reset = squash.of_gate(z);
    z = *at.left_slope * *at.before * reset.slope;
    *at.slope += *at.left_slope * reset.value;
}
