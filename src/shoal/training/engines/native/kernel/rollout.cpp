// What Python calls to let policies act: lanes of episodes dealt to threads.
#include <atomic>
#include <thread>
#include <vector>

#include "interface.hpp"
#include "rollout_interface.hpp"
#include "subnormals.hpp"

extern const RunLanes avx512_rollout, avx2_rollout, baseline_rollout;

// Run all episodes of all members; the same bits on any number of threads.
EXPORT void shoal_rollout(const Kernel *kernel, const Rollout *rollout, int32_t threads) {
    const RunLanes run = kernel->lanes == 16 ? avx512_rollout : kernel->lanes == 8 ? avx2_rollout : baseline_rollout;
    const int64_t lanes = kernel->lanes;
    const int64_t tasks = (int64_t)rollout->members * ((rollout->episodes + rollout->chunk - 1) / rollout->chunk);
    const int64_t blocks = (tasks + lanes - 1) / lanes;
    std::atomic<int64_t> next{0};
    const auto work = [&] {
        const WithoutSubnormals here;
        for (int64_t i = next++; i < blocks; i = next++) run(*rollout, i * lanes, tasks - i * lanes < lanes ? tasks - i * lanes : lanes);
    };
    std::vector<std::thread> others;
    for (int64_t i = 1; i < threads && i < blocks; ++i) others.emplace_back(work);
    work();
    for (std::thread &other : others) other.join();
}

// By which Python checks that its record is that of this library.
EXPORT int64_t shoal_rollout_size() { return sizeof(Rollout); }
