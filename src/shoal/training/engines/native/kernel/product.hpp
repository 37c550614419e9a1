// The one product of matrices: each element is a vector of members, or a number that all of them share.

template <class T>
struct View {  // element (i, j) is at[i * row + j * column]
    T *at;
    long row, column;
};

#if SHOAL_LANES == 8 && defined(__x86_64__)
constexpr int TILE_ROWS = 3, TILE_COLUMNS = 4;  // 12 sums, 3 numbers from the left, 1 from the right: 16 registers
#else
constexpr int TILE_ROWS = 4, TILE_COLUMNS = 4;
#endif

INLINE V as_vector(float x) { return splat(x); }
INLINE V as_vector(V x) { return x; }

template <int R, int C, class A>
INLINE void product_tile(int depth, View<const A> a, View<const V> b, View<const V> start, View<V> c) {
    V sums[R][C];
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
        for (int j = 0; j < C; ++j) sums[i][j] = start.at[i * start.row + j];
    const A *left = a.at;
    const V *right = b.at;
    for (int k = 0; k < depth; ++k, left += a.column, right += b.row) {
        V of_row[R];
#pragma GCC unroll 8
        for (int i = 0; i < R; ++i) of_row[i] = as_vector(left[i * a.row]);
#pragma GCC unroll 8
        for (int j = 0; j < C; ++j) {
            const V of_column = right[j * b.column];
#pragma GCC unroll 8
            for (int i = 0; i < R; ++i) sums[i][j] += of_row[i] * of_column;
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
        for (int j = 0; j < C; ++j) c.at[i * c.row + j] = sums[i][j];
}

template <int R, class A>
INLINE void product_rows(int columns, int depth, View<const A> a, View<const V> b, View<const V> start, View<V> c) {
    switch (columns) {
        case 1: return product_tile<R, 1>(depth, a, b, start, c);
        case 2: return product_tile<R, 2>(depth, a, b, start, c);
        case 3: return product_tile<R, 3>(depth, a, b, start, c);
        default: return product_tile<R, 4>(depth, a, b, start, c);
    }
}

// c = start + a b, with (rows, depth) times (depth, columns); the columns of start and c lie side by side.
template <class A>
static void product(int rows, int columns, int depth, View<const A> a, View<const V> b, View<const V> start, View<V> c) {
    for (int j = 0; j < columns; j += TILE_COLUMNS) {  // a strip of b stays in the first-level cache
        const int wide = columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS;
        const View<const V> strip{b.at + j * b.column, b.row, b.column};
        for (int i = 0; i < rows; i += TILE_ROWS) {
            const View<const A> band{a.at + i * a.row, a.row, a.column};
            const View<const V> from{start.at + i * start.row + j, start.row, 1};
            const View<V> to{c.at + i * c.row + j, c.row, 1};
            switch (rows - i) {
                case 1: product_rows<1>(wide, depth, band, strip, from, to); break;
                case 2: product_rows<2>(wide, depth, band, strip, from, to); break;
                case 3: product_rows<3>(wide, depth, band, strip, from, to); break;
                default: product_rows<TILE_ROWS>(wide, depth, band, strip, from, to);
            }
        }
    }
}
