// Eight members side by side, on processors with AVX2.
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>

#include "interface.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define SHOAL_LANES 8
extern const Kernel avx2_kernel;
EXPORT const Kernel *shoal_avx2() {
    const bool runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return runs ? &avx2_kernel : nullptr;
}
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {
#include "kernel.hpp"
}
#if defined(__clang__)
#pragma clang attribute pop
#endif
const Kernel avx2_kernel = {"avx2", 8, avx2::train, avx2::predict, avx2::run_function, avx2::run_activation};
#else
EXPORT const Kernel *shoal_avx2() { return nullptr; }
#endif
