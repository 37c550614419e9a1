// Eight policies side by side, on processors with AVX2.
#include <cstddef>
#include <new>
#include <utility>

#include "rollout_interface.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define SHOAL_LANES 8
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
namespace rollout_avx2 {
#include "rollout.hpp"
}
#if defined(__clang__)
#pragma clang attribute pop
#endif
extern const RunLanes avx2_rollout = rollout_avx2::run_lanes;
#else
extern const RunLanes avx2_rollout = nullptr;
#endif
