// The elementwise activations of shoal/networks/activations.py, with the same formulas, and their slopes as jax.grad
// has them, also at kinks. A value is NaN where z is; what the slope is then does not matter.

struct Activated {
    V value;
    V slope;
};

INLINE V clip(float low, V z, float high) { return minimum(splat(high), maximum(splat(low), z)); }
INLINE V one_where(I holds) { return only(holds, splat(1.0f)); }

INLINE Activated activate_linear(V z) { return {z, splat(1.0f)}; }

INLINE Activated activate_relu(V z) {
    const I off = z <= 0;
    return {select(off, V{}, z), select(off, V{}, splat(1.0f))};
}

INLINE Activated activate_relu6(V z) { return {clip(0.0f, z, 6.0f), one_where((z > 0) & (z < 6))}; }

INLINE Activated activate_leaky_relu(V z) {
    const V slope = select(z >= 0, splat(1.0f), splat(0.2f));
    return {slope * z, slope};
}

// scale z above 0, else scale alpha (exp(z) - 1)
INLINE Activated exponential_linear(V z, float scale, float alpha) {
    const Power p = power_up_to_88(minimum(V{}, z));
    const V value = p.scale * p.rest + (p.scale - 1.0f);
    const V slope = p.scale * p.rest + p.scale;
    return {select(z > 0, scale * z, scale * alpha * value), select(z > 0, splat(scale), scale * alpha * slope)};
}

INLINE Activated activate_elu(V z) { return exponential_linear(z, 1.0f, 1.0f); }
INLINE Activated activate_selu(V z) { return exponential_linear(z, 1.05070099f, 1.67326324f); }
INLINE Activated activate_celu(V z) { return exponential_linear(z, 1.0f, 1.0f); }

// With e = exp(-|z|): sigmoid(z), sigmoid(-z) and log(1 + e), none of which loses digits to a difference.
struct Sigmoid {
    V value;
    V opposite;
    V logarithm;
};

INLINE Sigmoid sigmoid_of(V z) {
    const V e = exponential_up_to_88(-absolute(z));
    const V large = 1.0f / (1.0f + e);
    const V small = e * large;
    return {select(z >= 0, large, small), select(z >= 0, small, large), log_one_plus_fraction(e)};
}

INLINE Activated activate_sigmoid(V z) {
    const Sigmoid s = sigmoid_of(z);
    return {s.value, s.value * s.opposite};
}

INLINE Activated activate_log_sigmoid(V z) {
    const Sigmoid s = sigmoid_of(z);
    return {minimum(V{}, z) - s.logarithm, s.opposite};
}

INLINE Activated activate_hard_sigmoid(V z) {
    const Activated a = activate_relu6(z + 3.0f);
    return {a.value * (1.0f / 6.0f), a.slope * (1.0f / 6.0f)};
}

INLINE Activated activate_sparse_sigmoid(V z) {
    return {0.5f * clip(-1.0f, z, 1.0f) + 0.5f, 0.5f * one_where(absolute(z) < 1)};
}

INLINE Activated activate_tanh(V z) {
    const V t = hyperbolic_tangent(z);
    return {t, 1.0f - t * t};
}

INLINE Activated activate_hard_tanh(V z) { return {clip(-1.0f, z, 1.0f), one_where(absolute(z) <= 1)}; }

INLINE Activated activate_tanh_shrink(V z) {
    const V t = hyperbolic_tangent(z);
    return {z - t, t * t};
}

INLINE Activated activate_softplus(V z) {
    const Sigmoid s = sigmoid_of(z);
    return {maximum(V{}, z) + s.logarithm, s.value};
}

INLINE Activated activate_squareplus(V z) {
    const V distance = root(z * z + 4.0f);
    return {0.5f * (z + distance), 0.5f + 0.5f * (z / distance)};
}

INLINE Activated activate_sparse_plus(V z) {
    const V bent = select(absolute(z) >= 1, V{}, z) + 1.0f;  // the square of a large z would overflow
    return {select(z <= -1, V{}, select(z >= 1, z, 0.25f * bent * bent)),
            select(z <= -1, V{}, select(z >= 1, splat(1.0f), 0.5f * bent))};
}

INLINE Activated activate_softsign(V z) {
    const V held = clip(-1e37f, z, 1e37f);  // beyond, the share would be too small for a float
    const V share = 1.0f / (1.0f + absolute(held));
    return {held * share, share * share};
}

INLINE Activated activate_silu(V z) {
    const Sigmoid s = sigmoid_of(z);
    const V value = z * s.value;
    return {value, s.value + value * s.opposite};
}

INLINE Activated activate_hard_silu(V z) {
    const Activated h = activate_hard_sigmoid(z);
    return {z * h.value, h.value + only(h.slope > 0, z * h.slope)};
}

INLINE Activated activate_gelu(V z) {
    const V below = 0.5f + 0.5f * error_function(z * 0.707106781f);
    const V density = 0.398942280f * exponential_up_to_88(-0.5f * z * z);
    return {z * below, below + z * density};
}

// With w = exp(z) and n = w (w + 2): tanh(softplus(z)) = n / (n + 2), which is 1 long before w is large.
INLINE Activated activate_mish(V z) {
    const V held = minimum(splat(16.0f), z);
    const V w = exponential_up_to_88(held);
    const V n = w * (w + 2.0f);
    const V inverse = 1.0f / (n + 2.0f);
    const V bend = 4.0f * (w * inverse) * ((1.0f + w) * inverse);
    return {z * (n * inverse), n * inverse + held * bend};
}

INLINE Activated activate_exponential(V z) {
    const V e = exponential(z);
    return {e, e};
}

INLINE Activated activate_soft_shrink(V z) {
    const I off = absolute(z) <= 0.5f;
    return {select(off, V{}, z - copy_sign(splat(0.5f), z)), one_where(~off)};
}

INLINE Activated activate_hard_shrink(V z) {
    const I off = absolute(z) <= 0.5f;
    return {select(off, V{}, z), one_where(~off)};
}

INLINE Activated activate_threshold(V z) { return activate_relu(z); }

// In the order of shoal's ACTIVATIONS.
#define SHOAL_ACTIVATIONS(EACH)                                                                                   \
    EACH(linear) EACH(relu) EACH(relu6) EACH(leaky_relu) EACH(elu) EACH(selu) EACH(celu) EACH(sigmoid)            \
    EACH(log_sigmoid) EACH(hard_sigmoid) EACH(sparse_sigmoid) EACH(tanh) EACH(hard_tanh) EACH(tanh_shrink)        \
    EACH(softplus) EACH(squareplus) EACH(sparse_plus) EACH(softsign) EACH(silu) EACH(hard_silu) EACH(gelu)        \
    EACH(mish) EACH(exponential) EACH(soft_shrink) EACH(hard_shrink) EACH(threshold)

#define SHOAL_CODE(name) CODE_##name,
enum ActivationCode : int { SHOAL_ACTIVATIONS(SHOAL_CODE) ACTIVATION_COUNT };
#undef SHOAL_CODE

#define SHOAL_FUNCTION(name) activate_##name,
constexpr Activated (*ACTIVATE[])(V) = {SHOAL_ACTIVATIONS(SHOAL_FUNCTION)};
#undef SHOAL_FUNCTION

template <int CODE>
INLINE Activated activate(V z) {
    constexpr auto function = ACTIVATE[CODE];
    return function(z);
}

template <int CODE, bool WITH_SLOPE>
static void activate_loop(const V *z, V *value, V *slope, int count) {
    for (int i = 0; i < count; ++i) {
        const Activated a = activate<CODE>(z[i]);
        value[i] = a.value;
        if constexpr (WITH_SLOPE) slope[i] = a.slope;
    }
}

// The activations of an array, which may be changed in place; a null slope is not computed.
INLINE void activate_all(int32_t code, const V *z, V *value, V *slope, int count) {
    switch (code) {
#define SHOAL_CASE(name)                                                                              \
    case CODE_##name:                                                                                 \
        return slope ? activate_loop<CODE_##name, true>(z, value, slope, count)                       \
                     : activate_loop<CODE_##name, false>(z, value, slope, count);
        SHOAL_ACTIVATIONS(SHOAL_CASE)
#undef SHOAL_CASE
    }
}

// For tests: values and slopes of many floats; a null slope is not computed.
INLINE void run_activation(int32_t code, const float *in, float *out, float *slope, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) {
        V z{}, value, derivative;
        const int64_t bytes = 4 * (count - i < LANES ? count - i : LANES);
        __builtin_memcpy(&z, in + i, bytes);
        activate_all(code, &z, &value, slope ? &derivative : nullptr, 1);
        __builtin_memcpy(out + i, &value, bytes);
        if (slope) __builtin_memcpy(slope + i, &derivative, bytes);
    }
}
