// shoal/evolution/environments/cart_pole.py
struct CartPole {
    static constexpr int STATES = 4, OBSERVATIONS = 4;
    INLINE void observe(const V *state, V *seen) {
        for (int i = 0; i < 4; ++i) seen[i] = state[i];
    }
    INLINE Moment step(V *state, const V *action) {
        constexpr float G = 9.8f, POLE = 0.1f, TOTAL = 1.1f, HALF = 0.5f, DT = 0.02f;
        const V force = select(action[0] > 0, splat(10.0f), splat(-10.0f));
        V sine, cosine;
        sine_cosine(state[2], sine, cosine);
        const V push = (force + (POLE * HALF) * (state[3] * state[3]) * sine) * (1.0f / TOTAL);
        const V angular = (G * sine - cosine * push) / (HALF * (4.0f / 3.0f - (POLE / TOTAL) * (cosine * cosine)));
        const V linear = push - (POLE * HALF / TOTAL) * angular * cosine;
        state[0] += DT * state[1];
        state[1] += DT * linear;
        state[2] += DT * state[3];
        state[3] += DT * angular;
        const I fallen = (absolute(state[0]) > 2.4f) | (absolute(state[2]) > 0.20943951f);
        return {splat(1.0f), ~fallen, fallen};
    }
};
