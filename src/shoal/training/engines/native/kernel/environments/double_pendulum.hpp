// shoal/evolution/environments/double_pendulum.py
struct DoublePendulum {
    static constexpr int STATES = 4;
    INLINE void slopes(const V *state, V torque, V *rates) {
        constexpr float G = 9.8f;
        V sine, cosine, s1, c1, s12, c12;
        sine_cosine(state[1], sine, cosine);
        sine_cosine(state[0], s1, c1);
        sine_cosine(state[0] + state[1], s12, c12);
        const V w1 = state[2], w2 = state[3];
        const V d1 = 3.5f + cosine, d2 = 1.25f + 0.5f * cosine;
        const V phi2 = (0.5f * G) * s12;
        const V phi1 = -0.5f * (w2 * w2) * sine - w2 * w1 * sine + (1.5f * G) * s1 + phi2;
        rates[3] = (torque + d2 / d1 * phi1 - 0.5f * (w1 * w1) * sine - phi2) / (1.25f - d2 * d2 / d1);
        rates[2] = -(d2 * rates[3] + phi1) / d1;
        rates[0] = w1;
        rates[1] = w2;
    }
    INLINE void move(V *state, V torque, float dt) {
        runge_kutta<4>(state, dt, [torque](const V *at, V *rates) __attribute__((always_inline)) { slopes(at, torque, rates); });
        state[0] = wrapped(state[0]);
        state[1] = wrapped(state[1]);
        state[2] = clip(-12.5663706f, state[2], 12.5663706f);
        state[3] = clip(-28.2743339f, state[3], 28.2743339f);
    }
    INLINE V height(const V *state) { return -cosine_of(state[0]) - cosine_of(state[0] + state[1]); }
};

struct Acrobot : DoublePendulum {
    static constexpr int OBSERVATIONS = 6;
    INLINE void observe(const V *state, V *seen) {
        sine_cosine(state[0], seen[1], seen[0]);
        sine_cosine(state[1], seen[3], seen[2]);
        seen[4] = state[2];
        seen[5] = state[3];
    }
    INLINE Moment step(V *state, const V *action) {
        move(state, clip(-1.0f, action[0], 1.0f), 0.2f);
        const I there = height(state) > 1.0f;
        return {select(there, V{}, splat(-1.0f)), there, there};
    }
};

struct Balance : DoublePendulum {
    static constexpr int OBSERVATIONS = 4;
    INLINE void observe(const V *state, V *seen) {
        seen[0] = 10.0f * wrapped(state[0] - 3.14159265f);
        seen[1] = 10.0f * state[1];
        seen[2] = 2.0f * state[2];
        seen[3] = 2.0f * state[3];
    }
    INLINE Moment step(V *state, const V *action) {
        move(state, 10.0f * clip(-1.0f, action[0], 1.0f), 0.02f);
        const V tip = height(state);
        const I fallen = tip < 1.5f;
        return {0.5f * tip, ~fallen, fallen};
    }
};
