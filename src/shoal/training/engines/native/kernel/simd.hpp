// Vectors with one lane per member. Included once per instruction set, inside its namespace; SHOAL_LANES says how wide.

using V = float __attribute__((vector_size(4 * SHOAL_LANES)));
using I = int32_t __attribute__((vector_size(4 * SHOAL_LANES)));
using U = uint32_t __attribute__((vector_size(4 * SHOAL_LANES)));

#define INLINE static inline __attribute__((always_inline))

constexpr int LANES = SHOAL_LANES;

INLINE V splat(float x) { return x - V{}; }
INLINE I splat_int(int32_t x) { return x - I{}; }
INLINE V to_float(I x) { return __builtin_convertvector(x, V); }
INLINE I to_int(V x) { return __builtin_convertvector(x, I); }  // towards zero
INLINE U bits_of(V x) { return (U)x; }  // arithmetic on bits is unsigned, which may overflow
INLINE V from_bits(U x) { return (V)x; }

// A comparison gives an I: -1 where it holds, else 0.
INLINE V select(I holds, V yes, V no) { return holds ? yes : no; }
INLINE V only(I holds, V x) { return from_bits((U)holds & bits_of(x)); }  // 0 elsewhere

INLINE V maximum(V a, V b) { return a > b ? a : b; }
INLINE V minimum(V a, V b) { return a < b ? a : b; }
INLINE V absolute(V x) { return from_bits(bits_of(x) & 0x7fffffffu); }
INLINE V copy_sign(V size, V sign) { return from_bits(bits_of(size) | (bits_of(sign) & 0x80000000u)); }

INLINE V root(V x) {
    V y;
    for (int lane = 0; lane < LANES; ++lane) y[lane] = __builtin_sqrtf(x[lane]);
    return y;
}

template <int FROM, int... K>
INLINE V interleaved(V a, V b, std::integer_sequence<int, K...>) {
#if defined(__clang__)
    return __builtin_shufflevector(a, b, (FROM + K / 2 + K % 2 * LANES)...);
#else
    return __builtin_shuffle(a, b, I{(FROM + K / 2 + K % 2 * LANES)...});
#endif
}

// Rows become columns: each turn moves one bit of a number's row to its lane, and one back.
INLINE void transpose(V (&x)[LANES]) {
    constexpr auto ALL = std::make_integer_sequence<int, LANES>();
#pragma GCC unroll 4
    for (int turn = 1; turn < LANES; turn *= 2) {
        V y[LANES];
#pragma GCC unroll 8
        for (int i = 0; i < LANES / 2; ++i) {
            y[2 * i] = interleaved<0>(x[i], x[i + LANES / 2], ALL);
            y[2 * i + 1] = interleaved<LANES / 2>(x[i], x[i + LANES / 2], ALL);
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; ++i) x[i] = y[i];
    }
}

INLINE bool any(I holds) {
    int32_t found = 0;
    for (int lane = 0; lane < LANES; ++lane) found |= holds[lane];
    return found != 0;
}
