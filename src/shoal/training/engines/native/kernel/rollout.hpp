// Policies and physics with a member's chunk of episodes in each lane. Included once per instruction set, inside its
// namespace. A lane computes what it would compute alone.
#include "simd.hpp"
#include "functions.hpp"
#include "activations.hpp"

struct Moment {
    V reward;
    I good;   // whether the step counts towards success
    I ended;
};

#include "environments/trigonometry.hpp"
#include "environments/cart_pole.hpp"
#include "environments/pendulum.hpp"
#include "environments/double_pendulum.hpp"
#include "environments/arm.hpp"
#include "environments/orbit.hpp"

// Outputs of one layer, four at a time while there are four, so that an input is loaded once for them.
template <int WIDE>
INLINE void neurons(const V *weights, const V *x, V *z, int inputs, int outputs, int at) {
    V sums[WIDE];
#pragma GCC unroll 4
    for (int j = 0; j < WIDE; ++j) sums[j] = z[at + j];
    for (int i = 0; i < inputs; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < WIDE; ++j) sums[j] += x[i] * weights[i * outputs + at + j];
    }
#pragma GCC unroll 4
    for (int j = 0; j < WIDE; ++j) z[at + j] = sums[j];
}

struct Policy {
    const Rollout &shape;
    const V *weights;
    V *ping, *pong;  // as wide as the widest layer

    const V *operator()(const V *observed) const {
        const V *x = observed, *w = weights;
        V *z = ping, *other = pong;
        for (int layer = 0; layer < shape.layers; ++layer) {
            const int inputs = shape.sizes[layer], outputs = shape.sizes[layer + 1];
            const V *biases = w + inputs * outputs;
            for (int o = 0; o < outputs; ++o) z[o] = shape.biased[layer] ? biases[o] : V{};
            int o = 0;
            for (; o + 4 <= outputs; o += 4) neurons<4>(w, x, z, inputs, outputs, o);
            for (; o < outputs; ++o) neurons<1>(w, x, z, inputs, outputs, o);
            activate_all(shape.activations[layer], z, z, nullptr, outputs);
            w = biases + (shape.biased[layer] ? outputs : 0);
            x = z;
            z = other;
            other = const_cast<V *>(x);
        }
        return x;
    }
};

// The episodes of the lanes: where each is, and what it has gathered.
template <typename Environment>
struct Episodes {
    const Rollout &rollout;
    V state[Environment::STATES]{};
    V fitness{};
    I steps{}, good{};
    int64_t at[LANES];    // place of the present episode in the results
    int32_t next[LANES];  // number of the next start
    int32_t last[LANES];  // behind the last start of the lane
    int running = 0;

    Episodes(const Rollout &rollout, int64_t first, int64_t count) : rollout(rollout) {
        const int32_t chunks = (rollout.episodes + rollout.chunk - 1) / rollout.chunk;
        for (int lane = 0; lane < LANES; ++lane) {
            at[lane] = -1;
            next[lane] = last[lane] = 0;
            if (lane >= count) continue;
            const int64_t member = (first + lane) / chunks;
            next[lane] = (int32_t)((first + lane) % chunks) * rollout.chunk;
            last[lane] = next[lane] + rollout.chunk < rollout.episodes ? next[lane] + rollout.chunk : rollout.episodes;
            at[lane] = member * rollout.episodes + next[lane];
            ++running;
            begin(lane);
        }
    }
    void begin(int lane) {
        const float *start = rollout.starts + (int64_t)next[lane]++ * Environment::STATES;
        for (int s = 0; s < Environment::STATES; ++s) state[s][lane] = start[s];
        fitness[lane] = 0.0f;
        steps[lane] = good[lane] = 0;
    }
    void end(int lane) {
        rollout.fitness[at[lane]] = fitness[lane];
        rollout.steps[at[lane]] = steps[lane];
        rollout.good[at[lane]] = good[lane];
        if (next[lane] < last[lane]) {
            ++at[lane];
            begin(lane);
        } else {
            at[lane] = -1;
            --running;
        }
    }
    void gather(const Moment &moment) {
        fitness += moment.reward;
        steps += 1;
        good = (good + 1) & moment.good;
        const I done = moment.ended | (steps >= rollout.limit);
        if (!any(done)) return;
        for (int lane = 0; lane < LANES; ++lane)
            if (done[lane] && at[lane] >= 0) end(lane);
    }
};

template <typename Environment>
static void run_episodes(const Rollout &rollout, int64_t first, int64_t count, const Policy &policy) {
    Episodes<Environment> episodes(rollout, first, count);
    V observed[Environment::OBSERVATIONS];
    while (episodes.running > 0) {
        Environment::observe(episodes.state, observed);
        episodes.gather(Environment::step(episodes.state, policy(observed)));
    }
}

// The parameters of the members of each lane, side by side.
static void gather_weights(const Rollout &rollout, int64_t first, int64_t count, V *weights) {
    const int32_t chunks = (rollout.episodes + rollout.chunk - 1) / rollout.chunk;
    for (int lane = 0; lane < LANES; ++lane) {
        const int64_t member = (first + (lane < count ? lane : 0)) / chunks;
        const float *own = rollout.parameters + member * rollout.size;
        for (int32_t i = 0; i < rollout.size; ++i) weights[i][lane] = own[i];
    }
}

static void run_lanes(const Rollout &rollout, int64_t first, int64_t count) {
    int32_t widest = 1;
    for (int layer = 0; layer <= rollout.layers; ++layer)
        if (rollout.sizes[layer] > widest) widest = rollout.sizes[layer];
    const std::size_t bytes = sizeof(V) * ((std::size_t)rollout.size + 2 * (std::size_t)widest);
    const std::align_val_t alignment{sizeof(V)};
    V *weights = static_cast<V *>(::operator new(bytes, alignment));
    gather_weights(rollout, first, count, weights);
    const Policy policy{rollout, weights, weights + rollout.size, weights + rollout.size + widest};
    // In the order of the numbers of shoal's environments.
    constexpr void (*RUN[])(const Rollout &, int64_t, int64_t, const Policy &) = {
        run_episodes<CartPole>, run_episodes<Pendulum>, run_episodes<Acrobot>, run_episodes<Balance>,
        run_episodes<Arm>,      run_episodes<Orbit>,
    };
    RUN[rollout.environment](rollout, first, count, policy);
    ::operator delete(weights, alignment);
}
