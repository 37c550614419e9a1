// Functions of whole vectors, without branches. NaN in gives NaN out; results below 2^-126 may become 0; the error
// stays below 4 units in the last place, with or without fused multiply-add (test_functions.py).
//
// Every polynomial was fitted by us: its coefficients make the largest relative error of the function's result as small
// as possible (least squares at 400 Chebyshev nodes in float64, reweighted by the error until it is level), each
// rounded to float32 in turn, from the lowest, with the higher ones fitted again.

template <typename... Higher>
INLINE V polynomial(V x, float lowest, Higher... higher) {
    if constexpr (sizeof...(higher) == 0) {
        return splat(lowest);
    } else {
        return lowest + x * polynomial(x, higher...);
    }
}

// x = n ln 2 + rest, with |rest| <= ln 2 / 2.
struct Reduced {
    V rest;
    U exponent;  // n, moved to where a float has its exponent
};

INLINE Reduced reduce(V x) {
    constexpr float ROUND = 0x1.8p23f;  // adding it leaves a float without digits behind the point
    const V shifted = x * 1.44269504f + ROUND;
    const V n = shifted - ROUND;
    const V rest = x - n * 0x1.62e4p-1f - n * 1.42860677e-6f;  // ln 2 in two parts: n times the first is exact
    return {rest, bits_of(shifted) << 23};
}

// exp(r) - 1 for the rest r of a reduction. Fitted: (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2.
INLINE V exponential_of_rest(V r) {
    return r + r * r * polynomial(r, 0.49999997f, 0.166665465f, 0.0416674428f, 0.00836625323f, 0.00138699578f);
}

INLINE V exponential(V x) {
    const Reduced part = reduce(x);
    // The exponent is added to the bits of a float, for 2^128 is no float but exp(88.7) is one.
    V result = from_bits(bits_of(1.0f + exponential_of_rest(part.rest)) + part.exponent);
    result = only(x >= -87.33654f, result);
    return select(x <= 88.72283f, result, x + __builtin_inff());  // the sum keeps a NaN
}

// exp(x) = scale + scale rest, for x <= 88 only, which saves the care for overflow.
struct Power {
    V scale;
    V rest;
};

INLINE Power power_up_to_88(V x) {
    const Reduced part = reduce(maximum(splat(-88.0f), x));  // there, the scale is 2^-127, which its bits make 0
    return {from_bits(part.exponent + 0x3f800000u), exponential_of_rest(part.rest)};
}

INLINE V exponential_up_to_88(V x) {
    const Power p = power_up_to_88(x);
    return p.scale + p.scale * p.rest;
}

// 1 - exp(x) for x <= 0, without cancellation near 0.
INLINE V one_minus_exponential(V x) {
    const Power p = power_up_to_88(x);
    return (1.0f - p.scale) - p.scale * p.rest;
}

INLINE V exponential_minus_one(V x) {
    const Reduced part = reduce(minimum(splat(89.0f), maximum(splat(-20.0f), x)));
    const V half_scale = from_bits(part.exponent + 0x3f000000u);  // half, for 2^128 is no float
    return 2.0f * ((half_scale - 0.5f) + half_scale * exponential_of_rest(part.rest));
}

// x = 2^exponent m with m from sqrt(1/2) up to sqrt(2), whose bits are 0x3f3504f3.
INLINE I exponent_of(V x) { return (I)(bits_of(x) - 0x3f3504f3u) >> 23; }

// log(u) for u = 2^exponent (1 + f). Fitted: (log(1 + f) - f) / f^2 for 1 + f from sqrt(1/2) to sqrt(2).
INLINE V logarithm_of_parts(V u, V f, I exponent) {
    const V n = to_float(exponent);
    const V square_part = f * f * polynomial(f, -0.499999911f, 0.333339483f, -0.250017852f, 0.199621513f,
                                             -0.165700287f, 0.149168715f, -0.143099353f, 0.0874022171f);
    V result = n * 0x1.62e4p-1f + (f + (square_part + n * 1.42860677e-6f));
    const V end = select(u < 0, splat(__builtin_nanf("")), splat(-__builtin_inff()));
    result = select(u < 0x1p-126f, end, result);
    return select(u < __builtin_inff(), result, u);
}

INLINE V logarithm(V x) {
    const I exponent = exponent_of(x);
    return logarithm_of_parts(x, from_bits(bits_of(x) - ((U)exponent << 23)) - 1.0f, exponent);
}

INLINE V log_one_plus(V x) {
    const V u = 1.0f + x;  // rounded: good enough to choose the exponent, and no more
    const I exponent = exponent_of(u);
    const V scale = from_bits(0x40800000u - ((U)exponent << 23));  // 4 / 2^exponent, for 2^-128 would be no normal float
    return logarithm_of_parts(u, 0.25f * (x * scale) + (0.25f * scale - 1.0f), exponent);
}

// log(1 + x) for x from 0 to 1. Fitted: (log(1 + x) - x) / x^2.
INLINE V log_one_plus_fraction(V x) {
    return x + x * x * polynomial(x, -0.499996483f, 0.3332133f, -0.248572171f, 0.191538483f, -0.137541875f,
                                  0.0792088285f, -0.0300683007f, 0.00536542246f);
}

// 2 t / (1 + t^2) with t = tanh(x / 2) = over / under, which forgives errors of t where t is near 1. Fitted: t / x as a
// ratio of polynomials of x^2 for |x| <= 8.7, above which tanh(x) rounds to 1 or its neighbour. Both are scaled so that
// they begin just below a power of two, where rounding costs the least.
INLINE V hyperbolic_tangent(V x) {
    const V square = x * x;
    const V over = x * polynomial(square, 0.899999976f, 0.0268139578f, 0.000103211416f);
    const V under = polynomial(square, 1.79999995f, 0.203627855f, 0.00217547105f, 2.22855147e-06f);
    const V result = (over + over) * under / (under * under + over * over);
    return select(absolute(x) > 8.7f, copy_sign(splat(1.0f), x), result);
}

// 1 - exp(-a p(a)) with a = |x|. Fitted: p(a) = -log(1 - erf(a)) / a for a from 0 to 4, above which erf rounds to 1.
INLINE V error_function(V x) {
    const V a = minimum(splat(4.0f), absolute(x));
    const V p = polynomial(a, 1.12837923f, 0.636615276f, 0.102826595f, -0.019366473f, 0.000280808919f,
                           0.00118993386f, -0.000356835109f, 3.71413516e-05f);
    return copy_sign(one_minus_exponential(-a * p), x);
}

// cos(2 pi u) for u from 0 to 1. Fitted: sin(2 pi w) / w as a polynomial of w^2, for |w| <= 1/4.
INLINE V cosine_of_turns(V u) {
    const V w = maximum(0.25f - u, u - 0.75f);  // exact where the cosine is small
    return w * polynomial(w * w, 6.28318548f, -41.3417664f, 81.6086349f, -76.7279816f, 40.8759117f);
}

INLINE V logistic(V z) {
    const V e = exponential_up_to_88(-absolute(z));
    return select(z >= 0, splat(1.0f), e) / (1.0f + e);
}

INLINE V softplus(V z) { return maximum(V{}, z) + log_one_plus_fraction(exponential_up_to_88(-absolute(z))); }

#define SHOAL_FUNCTIONS(EACH)                                                                            \
    EACH(exponential) EACH(logarithm) EACH(exponential_minus_one) EACH(log_one_plus)                     \
    EACH(hyperbolic_tangent) EACH(error_function) EACH(cosine_of_turns) EACH(logistic) EACH(softplus)

template <V (*FUNCTION)(V)>
static void run_one_function(const float *in, float *out, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) {
        V x{};
        const int64_t bytes = 4 * (count - i < LANES ? count - i : LANES);
        __builtin_memcpy(&x, in + i, bytes);
        x = FUNCTION(x);
        __builtin_memcpy(out + i, &x, bytes);
    }
}

// For tests: the function of a code, in the order of SHOAL_FUNCTIONS, of many floats.
INLINE void run_function(int32_t code, const float *in, float *out, int64_t count) {
#define SHOAL_RUN(name) run_one_function<name>,
    constexpr void (*RUN[])(const float *, float *, int64_t) = {SHOAL_FUNCTIONS(SHOAL_RUN)};
#undef SHOAL_RUN
    RUN[code](in, out, count);
}
