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
#include "block.hpp"
#include "training.hpp"

static void train(const Rows &rows, Member *const *members, int32_t count, int32_t turn, int32_t epochs) {
    Training(rows, members, count).run(turn, epochs);
}
