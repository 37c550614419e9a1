// Sixteen policies side by side, on processors with AVX-512.
#include <cstddef>
#include <new>
#include <utility>

#include "rollout_interface.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define SHOAL_LANES 16
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")
#endif
namespace rollout_avx512 {
#include "rollout.hpp"
}
#if defined(__clang__)
#pragma clang attribute pop
#endif
extern const RunLanes avx512_rollout = rollout_avx512::run_lanes;
#else
extern const RunLanes avx512_rollout = nullptr;
#endif
