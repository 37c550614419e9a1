// Trains random members with every loss, optimizer and activation, and networks of every operation in both layouts, on
// two threads, and predicts by the latter, for builds with sanitizers and for other processors:
//   g++ -std=c++17 -O1 -g -fsanitize=address,undefined -I <kernel> sanitized.cpp <kernel>/*.cpp -o sanitized -pthread
// `sanitized NAME` trains with the kernel of this name alone and prints the curves, which `curves.py` compares.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "interface.hpp"

extern "C" const Kernel *shoal_avx512(), *shoal_avx2(), *shoal_baseline();
extern "C" void shoal_train(const Kernel *kernel, const Rows *rows, Member *const *members, const int32_t *starts,
                            int32_t blocks, int32_t turn, int32_t epochs, int32_t threads);
extern "C" void shoal_predict(const Kernel *kernel, const Rows *rows, Member *member, float *outputs, int32_t threads);

namespace {

std::mt19937 generator(0);
bool printed = false;

int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }
float number(float low, float high) { return std::uniform_real_distribution<float>(low, high)(generator); }

std::vector<float> numbers(size_t count, float low, float high) {
    std::vector<float> all(count);
    for (float &each : all) each = number(low, high);
    return all;
}

std::vector<int32_t> integers(size_t count, int low, int high) {
    std::vector<int32_t> all(count);
    for (int32_t &each : all) each = integer(low, high);
    return all;
}

struct Network {
    std::vector<int32_t> inputs, neurons, activations;
    std::vector<float> vectors[4], curves;
    Member record{};

    // Activations over all neurons stand alone; their code is given, else 0.
    Network(int features, int outputs, int depth, int epochs, int optimizer, float scale, int across) {
        size_t size = 0;
        for (int l = 0, width = features; l <= depth; ++l) {
            inputs.push_back(width);
            neurons.push_back(l < depth ? across ? 6 : integer(1, 9) : outputs);
            for (int j = 0; l < depth && j < neurons[l]; ++j) activations.push_back(across ? across : integer(0, 25));
            size += (size_t)(width + 1) * neurons[l];
            width = across == 29 ? neurons[l] / 2 : neurons[l];
        }
        activations.push_back(0);
        for (auto &vector : vectors) vector.assign(size, 0.0f);
        vectors[0] = vectors[3] = numbers(size, -scale, scale);
        curves.assign((size_t)epochs * 5, NAN);
        Member &m = record;
        m.parameters = vectors[0].data(), m.first = vectors[1].data();
        m.second = vectors[2].data(), m.best = vectors[3].data();
        m.curves = curves.data(), m.inputs = inputs.data(), m.neurons = neurons.data();
        m.activations = activations.data();
        m.learning_rate = 0.01f, m.momentum = 0.5f, m.nesterov = (float)integer(0, 1);
        m.beta_1 = 0.9f, m.beta_2 = 0.999f, m.rho = 0.9f, m.epsilon = 1e-7f, m.weight_decay = 0.004f;
        m.warmup_steps = 2.0f, m.total_steps = 20.0f, m.final_fraction = 0.01f, m.weights = (float)size;
        m.l2 = number(0, 1) < 0.5f ? 0.0f : 0.1f, m.l1 = m.l2, m.label_smoothing = 0.1f, m.huber_delta = 1.0f;
        m.dropout = number(0, 1) < 0.5f ? 0.0f : 0.3f, m.replica = (float)integer(0, 1);
        m.momentum_product = 1.0f, m.best_loss = INFINITY;
        m.optimizer = optimizer, m.schedule = integer(0, 2), m.fold = integer(-1, 2), m.column = integer(0, 1);
        m.bootstrap = integer(0, 1), m.draw = integer(0, 2), m.half = integer(-1, 1), m.depth = depth, m.max_epochs = integer(1, epochs), m.patience = 2;
        for (int i = 0; i < 2; ++i) m.key[i] = m.bootstrap_key[i] = m.replica_key[i] = generator();
    }
};

// How many members have a finite loss after the first epoch.
int trained_of(const std::vector<Network> &networks) {
    int trained = 0;
    for (const Network &network : networks) {
        trained += std::isfinite(network.curves[0]);
        for (size_t i = 0; printed && i < network.curves.size(); i += 5)
            std::printf("%.9g %.9g\n", network.curves[i], network.curves[i + 1]);
    }
    return trained;
}

int train(const Kernel *kernel, int loss, int head, int targets) {
    constexpr int ROWS = 23, VALIDATION = 11, BATCH = 8, STEPS = 3, ORDERS = 2, INPUTS = 5, EPOCHS = 3, MEMBERS = 45;
    const auto x = numbers(ROWS * INPUTS, -1, 1), validation_x = numbers(VALIDATION * INPUTS, -1, 1);
    const bool known = loss == 7 && integer(0, 1), constant = loss == 7 && integer(0, 1);
    const int outputs = loss == 7 ? 2 * targets : loss == 8 ? 3 * targets : targets, columns = known ? 2 * targets : targets;
    const auto y = numbers(ROWS * columns, 0, 1), validation_y = numbers(VALIDATION * columns, 0, 1);
    const auto y_err = numbers(ROWS * columns, 0, 0.1f), validation_y_err = numbers(VALIDATION * columns, 0, 0.1f);
    const auto y_noise = numbers(ROWS * 3, -1, 1), validation_y_noise = numbers(VALIDATION * 3, -1, 1);
    const auto weights = numbers(ROWS, 0, 2), validation_weights = numbers(VALIDATION, 0, 2);
    const auto folds = integers(ROWS * 2, 0, 2), validation_folds = integers(VALIDATION * 2, 0, 2);
    const auto half = integers(VALIDATION, 0, 1);
    std::vector<int32_t> orders(ORDERS * STEPS * BATCH, -1);
    for (int order = 0; order < ORDERS; ++order)
        for (int i = 0; i < ROWS; ++i) orders[order * STEPS * BATCH + i] = i;
    const bool folded = integer(0, 1), redrawn = loss != 4 && loss != 5;
    Rows rows{};
    rows.x = x.data(), rows.y = y.data(), rows.weights = weights.data(), rows.y_err = redrawn ? y_err.data() : nullptr;
    rows.validation_y_err = redrawn ? validation_y_err.data() : nullptr, rows.validation_from = folded ? 0 : ROWS;
    rows.draws = 3, rows.y_noise = redrawn && folded ? y_noise.data() : nullptr;
    rows.validation_y_noise = rows.y_noise ? validation_y_noise.data() : nullptr;
    rows.validation_x = validation_x.data(), rows.validation_y = validation_y.data();
    rows.validation_weights = validation_weights.data(), rows.validation_half = half.data();
    rows.folds = folded ? folds.data() : nullptr, rows.validation_folds = folded ? validation_folds.data() : nullptr;
    rows.orders = orders.data(), rows.rows = ROWS, rows.validation_rows = VALIDATION, rows.inputs = INPUTS;
    rows.outputs = outputs, rows.weight_columns = 1, rows.columns = 2, rows.order_count = ORDERS, rows.steps = STEPS;
    rows.batch = BATCH, rows.loss = loss, rows.root = integer(0, 1), rows.head = head, rows.metric = loss > 5 ? 0 : integer(0, 2);
    rows.y_columns = columns, rows.targets = targets, rows.constants = constant ? targets : 0;
    rows.time = 1;
    if (loss == 8) rows.level_count = 3, rows.levels[0] = 0.1f, rows.levels[1] = 0.5f, rows.levels[2] = 0.9f;

    std::vector<Network> networks;
    networks.reserve(MEMBERS);
    std::vector<int32_t> starts{0};
    for (int depth = 0; depth < 3; ++depth) {
        const int across = integer(0, 1) ? integer(26, 29) : 0;
        for (int i = 0; i < MEMBERS / 3; ++i)
            networks.emplace_back(INPUTS, outputs, depth, EPOCHS, integer(0, 6), i == 0 ? 1e30f : 1.0f, across);
        for (int i = 0; i < MEMBERS / 3; i += kernel->lanes)
            starts.push_back((int32_t)networks.size() - MEMBERS / 3 + std::min(i + kernel->lanes, MEMBERS / 3));
    }
    std::vector<Member *> members;
    for (Network &network : networks) members.push_back(&network.record);
    shoal_train(kernel, &rows, members.data(), starts.data(), (int32_t)starts.size() - 1, 0, EPOCHS, 2);
    return trained_of(networks);
}

// Images of 9 x 8 x 2: strides, gaps and padding; pooling, upsampling, a residual, another shape, dropout, dense.
const Shape SHAPES[] = {{9, 8, 2}, {9, 8, 5}, {4, 4, 5}, {8, 8, 5}, {8, 8, 5}, {8, 8, 5},
                        {4, 4, 5}, {4, 4, 5}, {4, 4, 5}, {2, 4, 10}, {2, 4, 10}, {1, 1, 7}, {1, 1, 3}};
const Operation OPERATIONS[] = {
    {CONVOLUTION, 0, 0, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, 1, 1, 0, 0, 0.0f},
    {LARGEST, 1, 0, 2, {2, 2}, {2, 2}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {REPEAT, 2, 0, 3, {2, 2}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {CONVOLUTION, 3, 0, 4, {3, 3}, {1, 1}, {2, 2}, {2, 2}, 11, 1, 1, 0, 0, 0.0f},
    {SUM, 4, 3, 5, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {CONVOLUTION, 5, 0, 6, {3, 3}, {2, 2}, {1, 1}, {0, 0}, 20, 0, 1, 0, 0, 0.0f},
    {MEAN, 6, 0, 7, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 0, 0, 0, 0, 0, 0.0f},
    {ACTIVATION, 7, 0, 8, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 11, 0, 0, 0, 0, 0.0f},
    {MOVE, 8, 0, 9, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {DROPOUT, 9, 0, 10, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 9, 0, -1.0f},
    {CONVOLUTION, 10, 0, 11, {2, 4}, {1, 1}, {1, 1}, {0, 0}, 20, 1, 1, 0, 0, 0.0f},
    {CONVOLUTION, 11, 0, 12, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 1, 1, 0, 0, 0.0f},
};

// Series of 9 x 2, some of whose steps are padding: every cell in both directions, masks behind strides and flips, merges,
// normalisation, the mean of real steps.
const StepMask MASKS[] = {{0, 9, 1, 1, 1, 0, 0}, {1, 5, 3, 2, 1, 1, 0}, {2, 5, 1, 1, 1, 0, 1}};
const Shape SERIES[] = {{1, 9, 2}, {1, 5, 4}, {1, 5, 17}, {1, 5, 17}, {1, 5, 34}, {1, 5, 3}, {1, 5, 3}, {1, 5, 3},
                        {1, 5, 3}, {1, 5, 4}, {1, 5, 4}, {1, 1, 4}, {1, 1, 19}, {1, 1, 23}, {1, 1, 3}};
const Operation RECURRENCES[] = {
    {CONVOLUTION, 0, 0, 1, {1, 3}, {1, 2}, {1, 1}, {0, 1}, 11, 1, 1, 0, 0, 0.0f},
    {RECURRENCE, 1, 0, 2, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 11, 1, 1, 0, 0, 0.0f, 2, LSTM_CELL, 7, 1, 0, 0, 1},
    {RECURRENCE, 1, 0, 3, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 18, 1, 1, 0, 0, 0.0f, 2, GRU_CELL, 9, 1, 1, 1, 1},
    {JOIN, 2, 3, 4, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {RECURRENCE, 4, 0, 5, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 11, 0, 1, 0, 0, 0.0f, 2, SIMPLE_CELL, 0, 1, 1, 0, 0},
    {RECURRENCE, 4, 0, 6, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 11, 1, 1, 0, 0, 0.0f, 0, GRU_BEFORE_CELL, 7, 1, 0, 0, 0},
    {PRODUCT, 5, 6, 7, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {AVERAGE, 7, 6, 8, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {CONVOLUTION, 8, 0, 9, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 1, 1, 0, 0, 0.0f},
    {LAYER_NORM, 9, 0, 10, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 1, 1, 0, 0, 1e-3f, 0, 0, 0, 0, 0, 0, 0, 1, 1},
    {MEAN, 10, 0, 11, {1, 5}, {1, 5}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f, 3},
    {RECURRENCE, 10, 0, 12, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 11, 1, 1, 0, 0, 0.0f, 3, LSTM_CELL, 7, 0, 1, 0, 0},
    {JOIN, 11, 12, 13, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0, 0, 0.0f},
    {CONVOLUTION, 13, 0, 14, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 1, 1, 0, 0, 0.0f},
};

// Series of 9 x 2 with targets at each step, normalised by the batch, by one layer that is not trained.
const Shape LABELLED[] = {{1, 9, 2}, {1, 9, 4}, {1, 9, 4}, {1, 9, 18}, {1, 9, 18}, {1, 9, 18}, {1, 9, 3}};
const Operation AT_STEPS[] = {
    {CONVOLUTION, 0, 0, 1, {1, 3}, {1, 1}, {1, 1}, {0, 1}, 11, 1, 1, 0, 0, 0.0f},
    {BATCH_NORM, 1, 0, 2, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 1, 1, 0, 0, 1e-3f, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0.9f},
    {RECURRENCE, 2, 0, 3, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 11, 1, 1, 0, 0, 0.0f, 1, GRU_CELL, 7, 1, 0, 0, 0},
    {DROPOUT, 3, 0, 4, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 9, 0, -1.0f},
    {BATCH_NORM, 4, 0, 5, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 1, 0, 0, 0, 1e-3f, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0.9f},
    {CONVOLUTION, 5, 0, 6, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 1, 1, 0, 0, 0.0f},
};

// What a test trains: a graph, how many parameters it has, and the steps of a row that have targets.
struct Kind {
    Graph graph;
    int inputs;
    size_t size;
    bool images;
    int time;
};

constexpr size_t cell_size(size_t gates, size_t features, size_t units, size_t biases) {
    return gates * units * (features + units + biases);
}

const float SUBTRACTED[] = {100.0f, 130.0f}, FACTORS[] = {0.01f, 0.02f};
const Kind IMAGES{{OPERATIONS, SHAPES, SUBTRACTED, FACTORS, nullptr, 12, 13, 0, 0, 0.0f},
                  9 * 8 * 2, 9 * 2 * 5 + 5 + 9 * 25 + 5 + 9 * 25 + 80 * 7 + 7 + 7 * 3 + 3, true, 1};
const Kind RECURRENT{{RECURRENCES, SERIES, SUBTRACTED, FACTORS, MASKS, 14, 15, 0, 3, 0.0f},
                     9 * 2,
                     3 * 2 * 4 + 4 + cell_size(4, 4, 17, 1) + cell_size(3, 4, 17, 2) + cell_size(1, 34, 3, 0) +
                         cell_size(3, 34, 3, 1) + 3 * 4 + 4 + 8 + cell_size(4, 4, 19, 1) + 23 * 3 + 3,
                     false, 1};
const Kind STEPS_OF_SERIES{{AT_STEPS, LABELLED, nullptr, nullptr, MASKS, 6, 7, 0, 1, 0.0f},
                           9 * 2,
                           3 * 2 * 4 + 4 + 4 * 4 + cell_size(3, 4, 18, 2) + 3 * 18 + 18 * 3 + 3,
                           false, 9};

// Whether all rows have outputs, and the first alone has the same.
bool predicts(const Kernel *kernel, Rows rows, Member member, int threads) {
    rows.orders = nullptr, rows.outputs *= rows.time;
    std::vector<float> all((size_t)rows.rows * rows.outputs, NAN), first((size_t)rows.outputs);
    shoal_predict(kernel, &rows, &member, all.data(), threads);
    rows.rows = rows.batch = 1;
    shoal_predict(kernel, &rows, &member, first.data(), 1);
    return std::all_of(all.begin(), all.end(), [](float each) { return std::isfinite(each); }) &&
           std::equal(first.begin(), first.end(), all.begin());
}

int train_networks(const Kernel *kernel, const Kind &kind, bool single, int threads) {
    constexpr int ROWS = 75, VALIDATION = 21, BATCH = 70, STEPS = 2, EPOCHS = 2, MEMBERS = 5;
    const int INPUTS = kind.inputs, TIME = kind.time;
    const size_t SIZE = kind.size;
    std::vector<uint8_t> x(ROWS * INPUTS), validation_x(VALIDATION * INPUTS);
    for (auto *bytes : {&x, &validation_x})
        for (uint8_t &each : *bytes) each = (uint8_t)integer(0, 255);
    for (int i = 0; !kind.images && i < ROWS * INPUTS; i += 2)  // steps of zeros are padding
        if (integer(0, 2) == 0) x[i] = x[i + 1] = 0;
    const auto y = numbers(ROWS * TIME * 3, 0, 1), validation_y = numbers(VALIDATION * TIME * 3, 0, 1);
    const auto weights = numbers(ROWS * TIME, 0, 2), validation_weights = numbers(VALIDATION * TIME, 0, 2);
    const auto half = integers(VALIDATION, 0, 1);
    std::vector<int32_t> orders(STEPS * BATCH, -1);
    for (int i = 0; i < ROWS; ++i) orders[i] = i;
    Rows rows{};
    rows.x = reinterpret_cast<const float *>(x.data()), rows.validation_x = reinterpret_cast<const float *>(validation_x.data());
    rows.y = y.data(), rows.weights = weights.data(), rows.validation_y = validation_y.data();
    rows.validation_weights = validation_weights.data(), rows.validation_half = half.data(), rows.orders = orders.data();
    rows.rows = ROWS, rows.validation_rows = VALIDATION, rows.inputs = INPUTS, rows.outputs = rows.y_columns = rows.targets = 3;
    rows.weight_columns = 1, rows.columns = 1, rows.order_count = 1, rows.steps = STEPS, rows.batch = BATCH;
    rows.loss = CATEGORICAL_OF_LOGITS, rows.metric = HITS_OF_MANY, rows.bytes = 1, rows.source = 201, rows.time = TIME;
    Graph graph = kind.graph;
    graph.single = single;
    std::vector<Network> networks;
    networks.reserve(MEMBERS);
    std::vector<Member *> members;
    std::vector<int32_t> starts{0};
    for (int i = 0; i < MEMBERS; ++i) {
        networks.emplace_back(1, 1, 0, EPOCHS, integer(0, 6), 1.0f, 0);
        Network &network = networks.back();
        for (auto &vector : network.vectors) vector.assign(SIZE, 0.0f);
        network.vectors[0] = network.vectors[3] = numbers(SIZE, TIME > 1 ? 0.01f : -0.3f, 0.3f);  // variances are above 0
        Member &m = network.record;
        m.parameters = network.vectors[0].data(), m.first = network.vectors[1].data();
        m.second = network.vectors[2].data(), m.best = network.vectors[3].data();
        m.graph = &graph, m.dropout = 0.2f, m.fold = -1, m.column = 0, m.max_epochs = EPOCHS;
        if (single && kind.images) m.shift = 2.0f, m.flip = 1.0f, m.rotation = 90.0f, m.zoom = 0.5f, m.noise = 0.1f;
        members.push_back(&m);
        if (single || i + 1 == MEMBERS || (i + 1) % kernel->lanes == 0) starts.push_back(i + 1);
    }
    shoal_train(kernel, &rows, members.data(), starts.data(), (int32_t)starts.size() - 1, 0, EPOCHS, threads);
    const int trained = trained_of(networks);
    return single && !predicts(kernel, rows, networks[0].record, threads) ? 0 : trained;
}

}  // namespace

int main(int count, char **arguments) {
    printed = count > 1;
    for (const Kernel *kernel : {shoal_avx512(), shoal_avx2(), shoal_baseline()}) {
        if (!kernel || (printed && std::strcmp(kernel->name, arguments[1]))) continue;
        int trained = 0, all = 0;
        for (int repeat = 0; repeat < 3; ++repeat)
            for (int loss = 0; loss < 9; ++loss)
                for (int head = 0; head < (loss < 4 ? 3 : 1); ++head, all += 45)
                    trained += train(kernel, loss, head, loss == 5 || head == 2 ? 3 : integer(1, 3));
        if (!printed) std::printf("%s: %d of %d members have a finite loss\n", kernel->name, trained, all);
        if (trained < all / 2) return EXIT_FAILURE;
        for (int threads : {1, 2, 11})
            for (const Kind *kind : {&IMAGES, &RECURRENT, &STEPS_OF_SERIES})
                for (bool single : {true, false})
                    if (train_networks(kernel, *kind, single, threads) < 5) return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
