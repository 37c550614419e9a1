// Sixteen members side by side, on processors with AVX-512.
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>

#include "interface.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define SHOAL_LANES 16
extern const Kernel avx512_kernel;
EXPORT const Kernel *shoal_avx512() {
    const bool runs = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
    return runs ? &avx512_kernel : nullptr;
}
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")
#endif
namespace avx512 {
#include "kernel.hpp"
}
#if defined(__clang__)
#pragma clang attribute pop
#endif
const Kernel avx512_kernel = {"avx512", 16, avx512::train, avx512::predict, avx512::run_function, avx512::run_activation};
#else
EXPORT const Kernel *shoal_avx512() { return nullptr; }
#endif
