// The rows of a tile as a network reads them.

template <bool SINGLE>
class NetworkInputs : protected NetworkLayout<SINGLE> {
    using Base = NetworkLayout<SINGLE>;

public:
    using Base::Base;

protected:
    using Base::GROUP, Base::rows, Base::graph, Base::buffers, Base::own, Base::y, Base::input;

    // The input of a tile of rows, scaled, and as the member sees it while training.
    void load(const float *from, const int32_t *indices, int tile, int first, bool training) {
        const Buffer<SINGLE> &in = buffers[0];
        const Member &m = *this->members[0];
        const bool changes = SINGLE && training && changes_images(m), blurs = SINGLE && training && m.noise != 0.0f;
        for (int i = 0; i < tile; ++i) {
            const long row = (long)indices[i] * rows.inputs;
            const bool as_they_are = !graph.mask_count && !graph.subtracted && !rows.bytes;
            for (int v = 0; as_they_are && v < in.lines; ++v) {
                const int count = in.columns * in.channels;
                __builtin_memcpy(input + in.grid.at(i, v, 0), from + row + v * count, count * sizeof(float));
            }
            for (int v = 0, j = 0; !as_they_are && v < in.lines; ++v)
                for (int u = 0; u < in.columns; ++u) {
                    float *to = input + in.grid.at(i, v, u);
                    const bool real = !graph.mask_count || is_real(from, row + j, i, u);
                    for (int c = 0; c < in.channels; ++c, ++j) {
                        const float raw = rows.bytes ? (float)reinterpret_cast<const uint8_t *>(from)[row + j] : from[row + j];
                        to[c] = !real ? 0.0f : graph.subtracted ? (raw - graph.subtracted[c]) * graph.factors[c] : raw;
                    }
                }
            if (graph.mask_count) this->masks.derive(i);
            if (rows.reconstruct) keep_target(i);
            if (changes) change_image(i, first + i);
            if (blurs) add_noise(i, first + i);
        }
    }

private:
    // Whether a step of the input, from this number on, is real.
    bool is_real(const float *from, long number, int i, int step) {
        const int count = buffers[0].channels;
        if (rows.bytes) this->masks.read(i, step, reinterpret_cast<const uint8_t *>(from) + number, count);
        else this->masks.read(i, step, from + number, count);
        return this->masks.of(1, i)[step];
    }

    // The inputs as they are before they are changed, in one line.
    void keep_target(int i) {
        const Buffer<SINGLE> &in = buffers[0];
        V *target = y + (long)(i / GROUP) * rows.y_columns;
        for (int v = 0; v < in.lines; ++v)
            for (int u = 0; u < in.columns; ++u)
                for (int c = 0; c < in.channels; ++c, ++target) {
                    const float x = input[in.grid.at(i, v, u) + c];
                    if constexpr (SINGLE) set_lane(*target, i % GROUP, x);
                    else *target = splat(x);
                }
    }

    // Normal numbers by Box and Muller's transform: the first half of those of a batch are cosines, the other sines.
    void add_noise(int i, int row) {
        const Buffer<SINGLE> &in = buffers[0];
        const uint32_t half = ((uint32_t)rows.batch * (uint32_t)rows.inputs + 1u) / 2u, pairs = (half + 1u) / 2u;
        const uint32_t behind = pairs > 65536u ? pairs : 65536u;
        const U when = (U)this->steps * 256u + (uint32_t)rows.source;
        const float noise = this->members[0]->noise;
        V normal{};
        for (int j = 0; j < rows.inputs; ++j) {
            if (j % LANES == 0) {
                U number = splat_bits((uint32_t)row * (uint32_t)rows.inputs + (uint32_t)j);
                for (int lane = 1; lane < LANES; ++lane) number[lane] += (uint32_t)lane;
                const I sines = (I)(number >= half);
                number -= half & (U)sines;
                const V radius = root(-2.0f * log_one_plus(-uniform_of(number, 0u, when)));
                const V turn = uniform_of(number, behind, when) - only(sines, splat(0.25f));
                normal = radius * cosine_of_turns(select(turn < 0.0f, turn + 1.0f, turn));
            }
            const int place = j / in.channels;
            input[in.grid.at(i, place / in.columns, place % in.columns) + j % in.channels] += noise * normal[j % LANES];
        }
    }

    V uniform_of(U number, uint32_t from, U when) const {
        const Words words = threefry(own.key, number / 2u + from, when);
        return to_uniform((I)(number & 1u) != 0 ? words.second : words.first);
    }

    static bool changes_images(const Member &m) {
        return m.shift != 0.0f || m.flip != 0.0f || m.rotation != 0.0f || m.zoom != 0.0f;
    }

    // The map of shoal/training/augmentation.py from each pixel to a place in the image, read by linear interpolation.
    void change_image(int i, int row) {
        const Buffer<SINGLE> &in = buffers[0];
        const Member &m = *this->members[0];
        U where{};
        for (int lane = 0; lane < 3; ++lane) where[lane] = (uint32_t)row * 65536u + (uint32_t)lane;
        const Words words = threefry(own.key, where, (U)this->steps * 256u + (uint32_t)rows.source);
        const V even = to_uniform(words.first), odd = to_uniform(words.second);
        const float draws[5] = {even[0], odd[0], even[1], odd[1], even[2]};
        const auto spread = [&](int k) { return 2.0f * draws[k] - 1.0f; };
        const float zoom = 1.0f + m.zoom * spread(4), angle = m.rotation * 0.017453292519943295f * spread(3);
        const float cos = __builtin_cosf(angle) / zoom, sin = __builtin_sinf(angle) / zoom;
        const float mirror = draws[2] < 0.5f * m.flip ? -1.0f : 1.0f;
        const float middle_y = 0.5f * (float)(in.lines - 1), middle_x = 0.5f * (float)(in.columns - 1);
        float *to = this->image.data();
        for (int v = 0; v < in.lines; ++v)
            for (int u = 0; u < in.columns; ++u) {
                const float down = (float)v - middle_y, right = (float)u - middle_x;
                const Between y_at(cos * down - sin * right - m.shift * spread(0) + middle_y, in.lines);
                const Between x_at(mirror * (sin * down + cos * right - m.shift * spread(1)) + middle_x, in.columns);
                for (int c = 0; c < in.channels; ++c, ++to) {
                    const auto at = [&](int line, int column) { return input[in.grid.at(i, line, column) + c]; };
                    const float upper = at(y_at.first, x_at.first) * (1.0f - x_at.share) + at(y_at.first, x_at.second) * x_at.share;
                    const float lower = at(y_at.second, x_at.first) * (1.0f - x_at.share) + at(y_at.second, x_at.second) * x_at.share;
                    *to = upper * (1.0f - y_at.share) + lower * y_at.share;
                }
            }
        to = this->image.data();
        for (int v = 0; v < in.lines; ++v)
            for (int u = 0; u < in.columns; ++u)
                for (int c = 0; c < in.channels; ++c) input[in.grid.at(i, v, u) + c] = *to++;
    }

    // The pixels before and behind a place, and how far it lies from the former.
    struct Between {
        int first, second;
        float share;
        Between(float at, int size) {
            at = at < 0.0f ? 0.0f : at > (float)(size - 1) ? (float)(size - 1) : at;
            first = (int)at;
            second = first + 1 < size ? first + 1 : size - 1;
            share = at - (float)first;
        }
    };
};
