// Optimizers and schedules: the formulas of shoal.training.optimizers and schedules, a lane per member.

struct Numbers {  // what members choose for themselves
    V learning_rate, momentum, nesterov, beta_1, beta_2, rho, epsilon, weight_decay;
    V warmup_steps, total_steps, final_fraction, l2, l1, label_smoothing, huber_delta, dropout, replica;
    I optimizer, schedule, fold, column, bootstrap, max_epochs, patience, draw, half;
    U key[2], bootstrap_key[2], replica_key[2];
};

// What one step has in common for all parameters.
struct Step {
    V rate, scale;    // learning rate; what turns sums over rows into the gradient of the loss
    V debiased;       // adam: rate √(1 - β₂ᵗ) / (1 - β₁ᵗ); nadam: 1 / (1 - β₂ᵗ)
    V ahead, now;     // nadam: what the mean and the gradient are multiplied by
    I active;         // the members that take the step
};

struct Vectors {  // that an optimizer reads and changes
    V *parameters, *first, *second, *gradient;
};

INLINE V sine_of_half_turns(V u) {  // sin(πu) for |u| ≤ 1/2
    const V square = (u * 3.141592653589793f) * (u * 3.141592653589793f);
    V series = splat(1.0f);
    for (int k = 12; k > 0; k -= 2) series = 1.0f - square / (float)(k * (k + 1)) * series;
    return u * 3.141592653589793f * series;
}

INLINE V learning_rate(const Numbers &n, V step) {
    const V one = splat(1.0f), warmup = n.warmup_steps, a = n.final_fraction;
    const V q = minimum(maximum((step - warmup) / maximum(n.total_steps - warmup, one), V{}), one);
    const V cosine = a + (1.0f - a) * 0.5f * (1.0f + sine_of_half_turns(0.5f - q));
    const V falling = exponential(q * logarithm(a));
    const V factor = select(n.schedule == COSINE, cosine, select(n.schedule == EXPONENTIAL, falling, one));
    return n.learning_rate * factor * select(step < warmup, step / maximum(warmup, one), one);
}

INLINE V started(V decay, V t) {  // 1 - decay^t
    return -exponential_minus_one(t * logarithm(maximum(decay, splat(1e-30f))));
}

// Prepare a step of the members that have this optimizer; t counts from 1.
INLINE void prepare(int optimizer, Step &step, const Numbers &n, V t, V &product) {
    if (optimizer == ADAM || optimizer == ADAMW) {
        step.debiased = step.rate * root(started(n.beta_2, t)) / started(n.beta_1, t);
    } else if (optimizer == NADAM) {
        const V fade = exponential(t * -0.0408219945f);  // log 0.96
        const V now = n.beta_1 * (1.0f - 0.5f * fade), after = n.beta_1 * (1.0f - 0.48f * fade);
        const V through = product * now;
        product = select(step.active, through, product);
        step.ahead = after / (1.0f - through * after);
        step.now = (1.0f - now) / (1.0f - through);
        step.debiased = 1.0f / started(n.beta_2, t);
    }
}

INLINE V sign(V x) { return only(x != 0.0f, copy_sign(splat(1.0f), x)); }

// x / (√square + more), by estimates and a step of Newton's each where there are estimates: root and quotient of sixteen
// numbers take as long as seventy products.
INLINE V over_root(V x, V square, V more) {
#if SHOAL_LANES == 16 && defined(__x86_64__)
    const V infinite = splat(__builtin_inff());
    const V guess = __builtin_ia32_rsqrt14ps512_mask(square, V{}, -1), near = square * guess;
    const V under = select((square > 0.0f) & (square < infinite), near + 0.5f * guess * (square - near * near), square) + more;
    const V inverse = __builtin_ia32_rcp14ps512_mask(under, V{}, -1), quotient = x * inverse;
    return select(under < infinite, quotient + inverse * (x - under * quotient), quotient);
#else
    return x / (root(square) + more);
#endif
}

struct Moved {
    V parameter, first, second;
};

template <int CODE>
INLINE Moved moved(V p, V g, V first, V second, const Step &s, const Numbers &n) {
    if constexpr (CODE == SGD) {
        first = n.momentum * first - s.rate * g;
        return {p + select(n.nesterov > 0.0f, n.momentum * first - s.rate * g, first), first, second};
    } else if constexpr (CODE == RMSPROP) {
        second = n.rho * second + (1.0f - n.rho) * (g * g);
        first = n.momentum * first + over_root(s.rate * g, second + n.epsilon, V{});
        return {p - first, first, second};
    } else if constexpr (CODE == ADAGRAD) {
        second += g * g;
        return {p - over_root(s.rate * g, second + n.epsilon, V{}), first, second};
    } else if constexpr (CODE == LION) {
        const V step = s.rate * sign(first * n.beta_1 + g * (1.0f - n.beta_1));
        return {p - step, first * n.beta_2 + g * (1.0f - n.beta_2), second};
    } else {
        if constexpr (CODE == ADAMW) p -= s.rate * n.weight_decay * p;
        first += (g - first) * (1.0f - n.beta_1);
        second += (g * g - second) * (1.0f - n.beta_2);
        if constexpr (CODE == NADAM)
            return {p - over_root(s.rate * (s.ahead * first + s.now * g), second * s.debiased, n.epsilon), first, second};
        return {p - over_root(s.debiased * first, second, n.epsilon), first, second};
    }
}

// Change `count` parameters from `from` on; l2 and l1 are the slopes of the penalties per weight.
template <int CODE, bool PENALTY>
static void take_step(const Vectors &v, long from, long count, V l2, V l1, const Step &s, const Numbers &n) {
    V *__restrict parameters = v.parameters + from, *__restrict first = v.first + from;
    V *__restrict second = v.second + from, *__restrict gradient = v.gradient + from;
    for (long i = 0; i < count; ++i) {
        const V p = parameters[i];
        V g = s.scale * gradient[i];
        if constexpr (PENALTY) g += l2 * p + l1 * sign(p);
        const Moved m = moved<CODE>(p, g, first[i], second[i], s, n);
        parameters[i] = select(s.active, m.parameter, p);
        first[i] = select(s.active, m.first, first[i]);
        if constexpr (CODE != SGD && CODE != LION) second[i] = select(s.active, m.second, second[i]);
    }
}

template <bool PENALTY>
INLINE void take_step(int code, const Vectors &v, long from, long count, V l2, V l1, const Step &s, const Numbers &n) {
    switch (code) {
        case SGD: return take_step<SGD, PENALTY>(v, from, count, l2, l1, s, n);
        case RMSPROP: return take_step<RMSPROP, PENALTY>(v, from, count, l2, l1, s, n);
        case ADAGRAD: return take_step<ADAGRAD, PENALTY>(v, from, count, l2, l1, s, n);
        case ADAM: return take_step<ADAM, PENALTY>(v, from, count, l2, l1, s, n);
        case ADAMW: return take_step<ADAMW, PENALTY>(v, from, count, l2, l1, s, n);
        case NADAM: return take_step<NADAM, PENALTY>(v, from, count, l2, l1, s, n);
        default: return take_step<LION, PENALTY>(v, from, count, l2, l1, s, n);
    }
}
