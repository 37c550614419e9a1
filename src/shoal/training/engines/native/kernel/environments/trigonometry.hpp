// Sine and cosine of radians, and a step of Runge and Kutta.

// Fitted to |r| <= pi / 4, as in functions.hpp; the absolute error stays below 2e-7 up to |x| = 1000.
INLINE void sine_cosine(V x, V &sine, V &cosine) {
    constexpr float ROUND = 0x1.8p23f;
    const V shifted = x * 0.636619772f + ROUND;
    const V n = shifted - ROUND;
    const V r = x - n * 1.5703125f - n * 4.83751297e-4f - n * 7.54978995e-8f;  // pi / 2 in three parts: n times the first is exact
    const V square = r * r;
    const V s = r + r * square * polynomial(square, -0.16666655f, 0.008332192f, -0.00019518791f);
    const V c = 1.0f - 0.5f * square + square * square * polynomial(square, 0.041666646f, -0.0013887301f, 2.4430661e-05f);
    const U quadrant = bits_of(shifted);
    const I odd = (I)(quadrant & 1u) != 0;
    const U flip_sine = (quadrant & 2u) << 30, flip_cosine = ((quadrant + 1u) & 2u) << 30;
    sine = from_bits(bits_of(select(odd, c, s)) ^ flip_sine);
    cosine = from_bits(bits_of(select(odd, s, c)) ^ flip_cosine);
}

INLINE V cosine_of(V x) {
    V s, c;
    sine_cosine(x, s, c);
    return c;
}

// x less the multiple of 2 pi that leaves the least.
INLINE V wrapped(V x) {
    constexpr float ROUND = 0x1.8p23f;
    const V turns = (x * 0.159154943f + ROUND) - ROUND;
    return x - turns * 6.28125f - turns * 1.93530717e-3f;
}

// The classical method of fourth order for `slopes(state, rates)`.
template <int STATES, typename Slopes>
INLINE void runge_kutta(V *state, float dt, const Slopes &slopes) {
    V k1[STATES], k2[STATES], k3[STATES], k4[STATES], at[STATES];
    slopes(state, k1);
    for (int i = 0; i < STATES; ++i) at[i] = state[i] + (0.5f * dt) * k1[i];
    slopes(at, k2);
    for (int i = 0; i < STATES; ++i) at[i] = state[i] + (0.5f * dt) * k2[i];
    slopes(at, k3);
    for (int i = 0; i < STATES; ++i) at[i] = state[i] + dt * k3[i];
    slopes(at, k4);
    for (int i = 0; i < STATES; ++i) state[i] += (dt / 6.0f) * (k1[i] + 2.0f * (k2[i] + k3[i]) + k4[i]);
}
