// Four policies side by side, on every other processor.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2") // few processors need this one, and all installations compile it
#endif
#include <cstddef>
#include <new>
#include <utility>

#include "rollout_interface.hpp"

#define SHOAL_LANES 4
namespace rollout_baseline {
#include "rollout.hpp"
}
extern const RunLanes baseline_rollout = rollout_baseline::run_lanes;
