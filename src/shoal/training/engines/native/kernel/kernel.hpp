// The kernel for one instruction set; see avx2.cpp for how it is included.

#include "simd.hpp"
#include "functions.hpp"
#include "activations.hpp"
#include "across.hpp"
#include "random.hpp"
#include "product.hpp"
#include "losses.hpp"
#include "optimizers.hpp"
#include "memory.hpp"
#include "lanes.hpp"
#include "block.hpp"
#include "training.hpp"
#include "tiles.hpp"
#include "masks.hpp"
#include "cells.hpp"
#include "operations.hpp"
#include "normalization.hpp"
#include "recurrence.hpp"
#include "layout.hpp"
#include "inputs.hpp"
#include "network.hpp"

static void train(const Rows &rows, Member *const *members, int32_t count, int32_t turn, int32_t epochs, Team &team) {
    const Graph *graph = members[0]->graph;
    if (!graph)
        Training(rows, members, count).run(turn, epochs);
    else if (graph->single)
        NetworkTraining<true>(rows, members, count, team).run(turn, epochs);
    else
        NetworkTraining<false>(rows, members, count, team).run(turn, epochs);
}

static void predict(const Rows &rows, Member *member, int32_t begin, int32_t end, float *outputs) {
    NetworkWorker<true>(rows, &member, 1).predict_rows(begin, end, outputs);
}
