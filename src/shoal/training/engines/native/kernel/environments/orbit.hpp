// shoal/evolution/environments/orbit.py
struct Orbit {
    static constexpr int STATES = 4, OBSERVATIONS = 3;
    static constexpr float TARGET = 1.5f, SPEED = 0.816496581f, THRUST = 0.02f;
    struct Polar {
        V distance, outward, around;
    };
    INLINE Polar polar(const V *state) {
        const V distance = root(state[0] * state[0] + state[1] * state[1]);
        const V inverse = 1.0f / distance;
        return {distance, (state[0] * state[2] + state[1] * state[3]) * inverse,
                (state[0] * state[3] - state[1] * state[2]) * inverse};
    }
    INLINE void observe(const V *state, V *seen) {
        const Polar p = polar(state);
        seen[0] = 4.0f * (p.distance - TARGET);
        seen[1] = 10.0f * p.outward;
        seen[2] = 10.0f * (p.around - SPEED);
    }
    INLINE void slopes(const V *state, V outward, V around, V *rates) {
        const V square = state[0] * state[0] + state[1] * state[1];
        const V inverse = 1.0f / root(square);
        const V pull = inverse * inverse * inverse;
        const V radial = outward * inverse, tangential = around * inverse;
        rates[0] = state[2];
        rates[1] = state[3];
        rates[2] = state[0] * (radial - pull) - state[1] * tangential;
        rates[3] = state[1] * (radial - pull) + state[0] * tangential;
    }
    INLINE Moment step(V *state, const V *action) {
        const V outward = THRUST * clip(-1.0f, action[0], 1.0f), around = THRUST * clip(-1.0f, action[1], 1.0f);
        runge_kutta<4>(state, 0.05f, [outward, around](const V *at, V *rates) __attribute__((always_inline)) { slopes(at, outward, around, rates); });
        const Polar p = polar(state);
        const V off = p.distance - TARGET, fast = p.around - SPEED;
        const V miss = off * off + p.outward * p.outward + fast * fast;
        const V fuel = (outward * outward + around * around) * (1.0f / (THRUST * THRUST));
        const I crashed = p.distance < 0.3f;
        const I there = (absolute(off) < 0.02f) & (absolute(p.outward) < 0.02f) & (absolute(fast) < 0.02f);
        return {-10.0f * miss - 0.01f * fuel - only(crashed, splat(1000.0f)), there, crashed};
    }
};
