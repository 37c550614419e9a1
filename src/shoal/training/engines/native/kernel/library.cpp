// What Python calls with the kernel of an instruction set: lane blocks dealt to threads.
#include <atomic>
#include <thread>
#include <vector>

#include "interface.hpp"
#include "subnormals.hpp"

namespace {

// Threads that wait for the next part of a batch; those of a busy machine let others go first.
class Threads : public Team {
public:
    explicit Threads(int count) : count(count) {}
    Threads(const Threads &) = delete;
    Threads &operator=(const Threads &) = delete;
    ~Threads() {
        ends = true;
        begin(0, nullptr, nullptr);
        for (std::thread &helper : helpers) helper.join();
    }
    int size() const override { return count; }
    void run(int parts, void (*work)(void *, int, int), void *data) override {
        while ((int)helpers.size() + 1 < count) start_helper((int)helpers.size() + 1);
        begin(parts, work, data);
        take_parts(0);
        for (int spins = 0; ready < (int)helpers.size();) pause(spins);
    }

private:
    const int count;
    std::vector<std::thread> helpers;  // from the first run on
    std::atomic<int> round{0}, next{0}, ready{0};
    bool ends = false;
    int parts = 0;
    void (*work)(void *, int, int) = nullptr;
    void *data = nullptr;

    void start_helper(int worker) {
        helpers.emplace_back([this, worker, seen = round.load()] {
            const WithoutSubnormals here;
            help(worker, seen);
        });
    }
    void begin(int how_many, void (*what)(void *, int, int), void *with) {
        parts = how_many, work = what, data = with;
        next = 0, ready = 0;
        ++round;
    }
    void help(int worker, int seen) {
        for (;;) {
            for (int spins = 0; round == seen;) pause(spins);
            if (ends) return;
            take_parts(worker);
            seen = round;
            ++ready;
        }
    }
    void take_parts(int worker) {
        if (worker >= parts) return;
        for (int part = next++; part < parts; part = next++) work(data, worker, part);
    }
    static void pause(int &spins) {
        if (++spins > 2000) std::this_thread::yield();
    }
};

}  // namespace

// Train lane blocks for some epochs: block i holds the members from starts[i] to starts[i + 1].
EXPORT void shoal_train(const Kernel *kernel, const Rows *rows, Member *const *members, const int32_t *starts,
                        int32_t blocks, int32_t turn, int32_t epochs, int32_t threads) {
    std::atomic<int32_t> next{0};
    const auto work = [&] {
        const WithoutSubnormals here;
        Threads team(0 < blocks && blocks < threads ? threads / blocks : 1);
        for (int32_t i = next++; i < blocks; i = next++)
            kernel->train(*rows, members + starts[i], starts[i + 1] - starts[i], turn, epochs, team);
    };
    std::vector<std::thread> others;
    for (int32_t i = 1; i < threads && i < blocks; ++i) others.emplace_back(work);
    work();
    for (std::thread &other : others) other.join();
}

// The outputs of one network of layers with windows or memory for all rows, before its last activation: each thread has a
// part of them. Its graph has channels in the lanes, so that an answer does not depend on the rows beside it.
EXPORT void shoal_predict(const Kernel *kernel, const Rows *rows, Member *member, float *outputs, int32_t threads) {
    const auto work = [&](int64_t part) {
        const WithoutSubnormals here;
        const auto begin = (int32_t)(rows->rows * part / threads), end = (int32_t)(rows->rows * (part + 1) / threads);
        kernel->predict(*rows, member, begin, end, outputs);
    };
    std::vector<std::thread> others;
    for (int32_t i = 1; i < threads; ++i) others.emplace_back(work, i);
    work(0);
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
    constexpr int64_t SIZES[] = {sizeof(Rows), sizeof(Member), sizeof(Operation), sizeof(Graph), sizeof(StepMask)};
    return SIZES[which];
}
