// shoal/evolution/environments/arm.py
struct Arm {
    static constexpr int STATES = 6, OBSERVATIONS = 6;
    static constexpr float LINK = 0.5f, FAR = 1.0f / 12.0f, BOTH = 5.0f / 12.0f, COUPLING = 0.125f;
    struct Error {
        V along, across;  // of the first link
    };
    INLINE Error error_of(const V *state, V sine2, V cosine2) {
        V sine, cosine;
        sine_cosine(state[0], sine, cosine);
        return {cosine * state[4] + sine * state[5] - LINK - LINK * cosine2,
                cosine * state[5] - sine * state[4] - LINK * sine2};
    }
    INLINE void observe(const V *state, V *seen) {
        sine_cosine(state[1], seen[1], seen[0]);
        const Error error = error_of(state, seen[1], seen[0]);
        seen[2] = 0.2f * state[2];
        seen[3] = 0.2f * state[3];
        seen[4] = 2.0f * error.along;
        seen[5] = 2.0f * error.across;
    }
    INLINE void slopes(const V *state, V torque1, V torque2, V *rates) {
        V sine, cosine;
        sine_cosine(state[1], sine, cosine);
        const V w1 = state[2], w2 = state[3];
        const V bend = COUPLING * sine;
        const V m11 = BOTH + 2.0f * COUPLING * cosine, m12 = FAR + COUPLING * cosine;
        const V f1 = torque1 + bend * (2.0f * (w1 * w2) + w2 * w2);
        const V f2 = torque2 - bend * (w1 * w1);
        const V inverse = 1.0f / (m11 * FAR - m12 * m12);
        rates[0] = w1;
        rates[1] = w2;
        rates[2] = (FAR * f1 - m12 * f2) * inverse;
        rates[3] = (m11 * f2 - m12 * f1) * inverse;
    }
    INLINE Moment step(V *state, const V *action) {
        const V torque1 = clip(-1.0f, action[0], 1.0f), torque2 = 0.5f * clip(-1.0f, action[1], 1.0f);
        runge_kutta<4>(state, 0.02f, [torque1, torque2](const V *at, V *rates) __attribute__((always_inline)) { slopes(at, torque1, torque2, rates); });
        V sine, cosine;
        sine_cosine(state[1], sine, cosine);
        const Error error = error_of(state, sine, cosine);
        const V distance = root(error.along * error.along + error.across * error.across);
        const V reward = -distance - 0.001f * (state[2] * state[2] + state[3] * state[3]);
        return {reward, distance < 0.05f, I{}};
    }
};
