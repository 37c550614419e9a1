// Four members side by side, on every other processor: SSE2, NEON, or what the compiler makes of it.
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>

#include "interface.hpp"

#define SHOAL_LANES 4
namespace baseline {
#include "kernel.hpp"
}
#if defined(__aarch64__)
#define SHOAL_NAME "neon"
#elif defined(__x86_64__)
#define SHOAL_NAME "sse2"
#else
#define SHOAL_NAME "plain"
#endif
static const Kernel kernel = {SHOAL_NAME, 4, baseline::train, baseline::predict, baseline::run_function, baseline::run_activation};
EXPORT const Kernel *shoal_baseline() { return &kernel; }
