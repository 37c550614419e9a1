// Products that look for their left factors in windows: tiles of sums stay in the registers, no patches are written.
// Sums have a vector for each column: a lane is a member, or a channel of a single one. Left factors are then vectors of
// members, or numbers for all lanes.

// An operand that the compiler shall keep in a register, or g++ loads it again for each product.
#if defined(__x86_64__)
#define HOLD(x) asm("" : "+x"(x))
#elif defined(__aarch64__)
#define HOLD(x) asm("" : "+w"(x))
#else
#define HOLD(x)
#endif
#if SHOAL_LANES == 16 && defined(__x86_64__)
#undef HOLD
#define HOLD(x) asm("" : "+v"(x))
#endif

#if (SHOAL_LANES == 16) || defined(__aarch64__)
constexpr int SUMS = 24;  // of 32 registers
#else
constexpr int SUMS = 12;  // of 16
#endif
constexpr int MOST_COLUMNS = 4;

constexpr int most_rows(int columns) { return SUMS / columns < 12 ? SUMS / columns : 12; }

// Left factors that lie side by side, from a place on.
struct Run {
    long from;
    int length;
};

enum Start { FROM_ZERO, FROM_BIAS, FROM_BEFORE };

// Rows are `a_row` and `c_row` apart; weights lie by strips, those of a factor side by side.
template <class A>
struct Window {
    const Run *runs;
    int run_count;
    const A *a;
    long a_row;
    const V *b, *bias;
    V *c;
    long c_row;
    Start start;
    bool rectifies;  // whether sums below zero are zero
    long skipped;    // factors before those of the runs, whose weights are passed over
};

template <int R, int C, class A>
static void window_tile(const Window<A> &w, int i0) {
    V sums[R][C];
    V *const c = w.c + i0 * w.c_row;
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
        for (int j = 0; j < C; ++j)
            sums[i][j] = w.start == FROM_BIAS ? w.bias[j] : w.start == FROM_BEFORE ? c[i * w.c_row + j] : V{};
    const V *b = w.b + w.skipped * C;
    const long row = w.a_row;
    for (int run = 0; run < w.run_count; ++run) {
        const A *a = w.a + i0 * row + w.runs[run].from;
        for (const A *end = a + w.runs[run].length; a != end; ++a, b += C) {
            V right[C];
#pragma GCC unroll 16
            for (int j = 0; j < C; ++j) {
                right[j] = b[j];
                HOLD(right[j]);
            }
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
                V left = as_vector(a[i * row]);
                HOLD(left);
#pragma GCC unroll 16
                for (int j = 0; j < C; ++j) sums[i][j] += left * right[j];
            }
        }
    }
    const V floor = splat(w.rectifies ? 0.0f : -__builtin_inff());
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
        for (int j = 0; j < C; ++j) c[i * w.c_row + j] = maximum(floor, sums[i][j]);
}

// Sums over places of left factors, at given distances, times the slopes there.
template <class A>
struct Correlation {
    const long *distances;  // of each row of the result from `a`
    const A *a;
    const V *d;
    int lines, columns;
    long a_line, a_step, d_line, d_step;
    V *c;  // by strips
    bool begins;  // whether what was there counts as zero
};

template <int R, int C, class A>
static void correlation_tile(const Correlation<A> &w, int i0) {
    V sums[R][C];
    V *const c = w.c + (long)i0 * C;
    long distance[R];
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
        distance[i] = w.distances[i0 + i];
#pragma GCC unroll 16
        for (int j = 0; j < C; ++j) sums[i][j] = w.begins ? V{} : c[i * C + j];
    }
    for (int y = 0; y < w.lines; ++y) {
        const A *a = w.a + y * w.a_line;
        const V *d = w.d + y * w.d_line;
        for (int x = 0; x < w.columns; ++x, a += w.a_step, d += w.d_step) {
            V right[C];
#pragma GCC unroll 16
            for (int j = 0; j < C; ++j) {
                right[j] = d[j];
                HOLD(right[j]);
            }
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
                V left = as_vector(a[distance[i]]);
                HOLD(left);
#pragma GCC unroll 16
                for (int j = 0; j < C; ++j) sums[i][j] += left * right[j];
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
        for (int j = 0; j < C; ++j) c[i * C + j] = sums[i][j];
}

// Tiles of each height, 1 first.
template <int C, class A, int... R>
INLINE void window_rows(int rows, int i, const Window<A> &w, std::integer_sequence<int, R...>) {
    static constexpr void (*TILES[])(const Window<A> &, int) = {window_tile<R + 1, C, A>...};
    TILES[rows - 1](w, i);
}

template <int C, class A, int... R>
INLINE void correlation_rows(int rows, int i, const Correlation<A> &w, std::integer_sequence<int, R...>) {
    static constexpr void (*TILES[])(const Correlation<A> &, int) = {correlation_tile<R + 1, C, A>...};
    TILES[rows - 1](w, i);
}

// Rows in tiles of about equal height.
template <int C, class Tile>
INLINE void in_tiles(int rows, const Tile &tile) {
    const int parts = (rows + most_rows(C) - 1) / most_rows(C);
    for (int part = 0, i = 0; part < parts; ++part) {
        const int height = (rows - i + parts - part - 1) / (parts - part);
        tile(height, i);
        i += height;
    }
}

template <int C, class A>
INLINE void strip_of_windows(int rows, const Window<A> &w) {
    in_tiles<C>(rows, [&](int height, int i) {
        window_rows<C, A>(height, i, w, std::make_integer_sequence<int, most_rows(C)>());
    });
}

template <int C, class A>
INLINE void strip_of_correlations(int rows, const Correlation<A> &w) {
    in_tiles<C>(rows, [&](int height, int i) {
        correlation_rows<C, A>(height, i, w, std::make_integer_sequence<int, most_rows(C)>());
    });
}

// All columns, strip by strip; `depth` is the number of left factors.
template <class A>
static void windows(int rows, int columns, long depth, Window<A> w) {
    for (int j = 0; j < columns; j += MOST_COLUMNS) {
        const int wide = columns - j < MOST_COLUMNS ? columns - j : MOST_COLUMNS;
        switch (wide) {
            case 1: strip_of_windows<1>(rows, w); break;
            case 2: strip_of_windows<2>(rows, w); break;
            case 3: strip_of_windows<3>(rows, w); break;
            default: strip_of_windows<4>(rows, w);
        }
        w.b += depth * wide, w.c += wide, w.bias += wide;
    }
}

template <class A>
static void correlations(int depth, int columns, Correlation<A> w) {
    for (int j = 0; j < columns; j += MOST_COLUMNS) {
        const int wide = columns - j < MOST_COLUMNS ? columns - j : MOST_COLUMNS;
        switch (wide) {
            case 1: strip_of_correlations<1>(depth, w); break;
            case 2: strip_of_correlations<2>(depth, w); break;
            case 3: strip_of_correlations<3>(depth, w); break;
            default: strip_of_correlations<4>(depth, w);
        }
        w.c += (long)depth * wide, w.d += wide;
    }
}

// The width of the strip in which vector j of so many stands.
INLINE int width_of_strip(int columns, int j) {
    const int first = j / MOST_COLUMNS * MOST_COLUMNS;
    return columns - first < MOST_COLUMNS ? columns - first : MOST_COLUMNS;
}

// Where vector j of factor k stands among weights that lie by strips.
INLINE long in_strips(long depth, int columns, long k, int j) {
    const int first = j / MOST_COLUMNS * MOST_COLUMNS;
    return depth * first + k * width_of_strip(columns, j) + (j - first);
}
