// What Python calls: which kernels this processor can run, and lane blocks dealt to threads.
#include <atomic>
#include <thread>
#include <vector>

#include "interface.hpp"

extern const Kernel avx512_kernel, avx2_kernel, baseline_kernel;

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

// Numbers too small for a float are zero, as in XLA: arithmetic on them is a hundred times slower.
class WithoutSubnormals {
public:
#if defined(__x86_64__)
    WithoutSubnormals() : before(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before | 0x8040); }
    ~WithoutSubnormals() { __builtin_ia32_ldmxcsr(before); }

private:
    unsigned before;
#elif defined(__aarch64__)
    WithoutSubnormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        asm volatile("msr fpcr, %0" : : "r"(before | 1ul << 24));
    }
    ~WithoutSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before)); }

private:
    unsigned long before;
#else
    WithoutSubnormals() {}
#endif
};

bool can_run(const Kernel &kernel) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (&kernel == &avx512_kernel)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
    if (&kernel == &avx2_kernel) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return &kernel == &baseline_kernel;
}

}  // namespace

// The kernels that this processor can run, the fastest first; null behind the last.
EXPORT const Kernel *shoal_kernel(int32_t number) {
    for (const Kernel *kernel : {&avx512_kernel, &avx2_kernel, &baseline_kernel})
        if (can_run(*kernel) && number-- == 0) return kernel;
    return nullptr;
}

// Train lane blocks for some epochs: block i holds the members from starts[i] to starts[i + 1].
EXPORT void shoal_train(const Kernel *kernel, const Rows *rows, Member *const *members, const int32_t *starts,
                        int32_t blocks, int32_t turn, int32_t epochs, int32_t threads) {
    std::atomic<int32_t> next{0};
    const auto work = [&] {
        const WithoutSubnormals here;
        for (int32_t i = next++; i < blocks; i = next++)
            kernel->train(*rows, members + starts[i], starts[i + 1] - starts[i], turn, epochs);
    };
    std::vector<std::thread> others;
    for (int32_t i = 1; i < threads && i < blocks; ++i) others.emplace_back(work);
    work();
    for (std::thread &other : others) other.join();
}

EXPORT void shoal_function(const Kernel *kernel, int32_t code, const float *x, float *value, int64_t count) {
    kernel->function(code, x, value, count);
}

EXPORT void shoal_activation(const Kernel *kernel, int32_t code, const float *x, float *value, float *slope, int64_t count) {
    kernel->activation(code, x, value, slope, count);
}

// By which Python checks that its records are those of this library.
EXPORT int64_t shoal_record_size(int32_t which) {
    constexpr int64_t SIZES[] = {sizeof(Rows), sizeof(Member), sizeof(Operation), sizeof(Graph)};
    return SIZES[which];
}
