// shoal/evolution/environments/pendulum.py
struct Pendulum {
    static constexpr int STATES = 2, OBSERVATIONS = 3;
    INLINE void observe(const V *state, V *seen) {
        sine_cosine(state[0], seen[1], seen[0]);
        seen[2] = state[1];
    }
    INLINE Moment step(V *state, const V *action) {
        constexpr float DT = 0.05f;
        const V torque = 2.0f * clip(-1.0f, action[0], 1.0f);
        const V angle = wrapped(state[0]);
        V sine, cosine;
        sine_cosine(state[0], sine, cosine);
        const V cost = angle * angle + 0.1f * (state[1] * state[1]) + 0.001f * (torque * torque);
        state[1] = clip(-8.0f, state[1] + DT * (15.0f * sine + 3.0f * torque), 8.0f);
        state[0] += DT * state[1];
        const I upright = (absolute(wrapped(state[0])) < 0.2f) & (absolute(state[1]) < 1.0f);
        return {-cost, upright, I{}};
    }
};
