// What Python hands over and gets back. The record types in `records.py` mirror these, field by field.
#pragma once
#include <cstdint>

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

// The prepared rows, shared by all members; every array is in C order.
struct Rows {
    const float *x, *y, *weights, *y_err;  // (rows, inputs), (rows, y_columns), (rows, weight_columns), as y or null
    const float *validation_x, *validation_y, *validation_weights;
    const int32_t *folds, *validation_folds;  // (rows, columns), or null
    const int32_t *validation_half;           // 0 or 1
    const int32_t *orders;                    // (order_count, steps, batch): row numbers, -1 where a batch is short; null: no training
    int32_t rows, validation_rows, inputs, outputs, weight_columns, columns, order_count, steps, batch;
    int32_t loss, root, head, metric;  // codes below; whether the cost is the root of the mean
    float threshold;                   // of the output that parts two classes
    const float *validation_y_err;     // (validation_rows, y_columns), or null
    int32_t validation_from;           // number of the first validation row, by which its targets are redrawn
    int32_t y_columns, targets;        // of y, which may hold the errors of the targets behind them
    int32_t constants, level_count;    // how many outputs, the last, take no inputs; levels of quantiles, if any
    float levels[8];
    int32_t draws;
    const float *y_noise, *validation_y_noise;  // (rows, draws), or null: what redrawn first targets differ by
    const int32_t *class_counts;  // (outputs), or null: of several targets, how many classes that of an output has
    int32_t bytes;   // whether x and validation_x are bytes
    int32_t reconstruct;  // whether the scaled inputs are the targets
    int32_t source;  // of the random numbers by which images are changed
    int32_t time;    // steps of a row that have targets and weights of their own; else 1
};

constexpr int32_t SQUARED = 0, ABSOLUTE = 1, HUBER = 2, LOG_COSH = 3, BINARY_OF_LOGITS = 4, CATEGORICAL_OF_LOGITS = 5,
                  POISSON_OF_LOGITS = 6, GAUSSIAN = 7, PINBALL = 8, CROSSENTROPIES_OF_LOGITS = 9;
constexpr int32_t LINEAR_HEAD = 0, SIGMOID_HEAD = 1, SOFTMAX_HEAD = 2;
constexpr int32_t SQUARES = 0, HITS_OF_ONE = 1, HITS_OF_MANY = 2, HITS_OF_TARGETS = 3;
constexpr float FLOOR = 1e-6f;  // of a variance that is learned
constexpr int32_t SGD = 0, RMSPROP = 1, ADAGRAD = 2, ADAM = 3, ADAMW = 4, NADAM = 5, LION = 6;
constexpr int32_t CONSTANT = 0, COSINE = 1, EXPONENTIAL = 2;
constexpr int32_t RUNNING = 0, FINISHED = 1, STOPPED_EARLY = 2, DIVERGED = 3;

// What a network of any layers does, one operation after the other, on buffers of places (lines, columns, channels).
constexpr int32_t CONVOLUTION = 0, ACTIVATION = 1, LARGEST = 2, SMALLEST = 3, MEAN = 4, REPEAT = 5, DROPOUT = 6, SUM = 7,
                  MOVE = 8, RECURRENCE = 9, PRODUCT = 10, AVERAGE = 11, JOIN = 12, LAYER_NORM = 13, BATCH_NORM = 14;
constexpr int32_t SIMPLE_CELL = 0, LSTM_CELL = 1, GRU_CELL = 2, GRU_BEFORE_CELL = 3;  // which resets before the product

struct Shape {
    int32_t lines, columns, channels;
};

// Windows, by lines and columns; a dense layer is a convolution whose window sees all places. `before` is the padding.
struct Operation {
    int32_t kind, from, with, to;  // numbers of buffers; `with` is what else is added
    int32_t window[2], strides[2], dilation[2], before[2];
    int32_t activation, bias;         // of a convolution: its code, and whether it has biases
    int32_t trained, source, spatial;  // whether its weights change; of its random numbers; whether channels drop out
    float rate;                       // of dropout; below 0: the member's own; of a normalisation: its epsilon
    int32_t mask = 0;                 // number of the mask of its input's steps, from 1; 0: all are real
    int32_t cell = 0, gate = 0;       // of a recurrence: codes of its kind, and of the activation of its gates
    int32_t sequences = 0, backwards = 0, flips = 0, zeroes = 0;  // whether it hands on each step; reads from the end;
                                      // hands on what it read last first; hands on zeros at steps that are not real
    int32_t scale = 0, center = 0;    // of a normalisation: whether it has gamma, and beta
    float momentum = 0.0f;            // of one by the batch: what a step leaves of the moving mean and variance
};

// Which steps of a series are real: those of the input at which not all features are the mask's value, or else those
// whose window sees a real step of another mask, or, flipped, its steps from the last to the first.
struct StepMask {
    int32_t from;  // number of that mask, from 1; 0: the input's
    int32_t steps, window, stride, dilation, before, flips;
};

struct Graph {
    const Operation *operations;
    const Shape *shapes;  // of the buffers, the first the input
    const float *subtracted, *factors;  // for each channel of the input, or null
    const StepMask *masks;
    int32_t operation_count, shape_count;
    int32_t single;  // whether lanes are channels of a single member, rather than members
    int32_t mask_count;
    float mask_value;
};

// One member: its numbers, its network in its own size, and its state, which a chunk of epochs changes.
struct Member {
    float *parameters, *first, *second, *best;  // per layer the weights (inputs, outputs), then the biases
    float *curves;                              // (epochs of the chunk, 5): loss, validation loss, its halves, metric
    const int32_t *inputs, *neurons;            // of each layer with weights, depth + 1
    const int32_t *activations;                 // code of each hidden neuron, layer by layer
    float learning_rate, momentum, nesterov, beta_1, beta_2, rho, epsilon, weight_decay;
    float warmup_steps, total_steps, final_fraction, l2, l1, weights, label_smoothing, huber_delta, dropout, replica;
    float momentum_product, best_loss;
    int32_t optimizer, schedule, fold, column, bootstrap, depth, max_epochs, patience;
    int32_t epoch, best_epoch, steps, status;
    uint32_t key[2], bootstrap_key[2], replica_key[2];
    int32_t draw;
    int32_t half;        // of the validation rows, by which it is stopped; -1: both
    const Graph *graph;  // or null: dense layers, as above
    float shift, flip, rotation, zoom, noise;  // of rows while training
};

// Threads that share the parts of a batch of one network.
class Team {
public:
    virtual int size() const = 0;
    // Call `work(data, worker, part)` for each part, and return when all is done; there are as many workers as threads, or
    // as parts where those are fewer.
    virtual void run(int parts, void (*work)(void *data, int worker, int part), void *data) = 0;

protected:
    ~Team() = default;
};

// One way to train members together. There is one for each instruction set, in a library of its own so that they compile
// side by side, which hands it out where this processor can run it.
struct Kernel {
    const char *name;
    int32_t lanes;
    void (*train)(const Rows &rows, Member *const *members, int32_t count, int32_t turn, int32_t epochs, Team &team);
    void (*predict)(const Rows &rows, Member *member, int32_t begin, int32_t end, float *outputs);
    void (*function)(int32_t code, const float *x, float *value, int64_t count);
    void (*activation)(int32_t code, const float *x, float *value, float *slope, int64_t count);
};
