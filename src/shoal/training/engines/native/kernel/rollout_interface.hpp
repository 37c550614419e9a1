// What a rollout reads and writes: many small policies, each acting in many episodes of one environment.
#pragma once

#include <cstdint>

struct Rollout {
    const float *parameters;    // (members, size): per layer the weights (inputs, outputs), then the biases if it has them
    const float *starts;        // (episodes, states), the same for all members
    const int32_t *sizes;       // of the inputs, then of each layer
    const int32_t *activations; // of each layer
    const int32_t *biased;      // whether each layer has biases
    float *fitness;             // (members, episodes): the sum of the rewards
    int32_t *steps, *good;      // the same: how many steps were made, and how many of the last were good without a break
    int32_t environment, members, episodes, layers, size, limit;
    int32_t chunk;              // episodes that a lane takes one after the other
};

// How one instruction set runs lanes: `chunks` of episodes from `first` on, as many as there are lanes, at most `count`.
using RunLanes = void (*)(const Rollout &rollout, int64_t first, int64_t count);
