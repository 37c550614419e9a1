// One allocation for all vectors of a lane block, dealt out in order.

class Memory {
public:
    Memory() = default;
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    ~Memory() { ::operator delete[](all, ALIGNED); }

    void reserve(long vectors) { next = all = static_cast<V *>(::operator new[](vectors * sizeof(V), ALIGNED)); }

    V *take(long vectors) {
        V *part = next;
        next += vectors;
        for (long i = 0; i < vectors; ++i) part[i] = V{};
        return part;
    }

private:
    static constexpr std::align_val_t ALIGNED{64};
    V *all = nullptr, *next = nullptr;
};

INLINE void set_lane(V &vector, int lane, float x) { reinterpret_cast<float *>(&vector)[lane] = x; }
INLINE void set_lane(I &vector, int lane, int32_t x) { reinterpret_cast<int32_t *>(&vector)[lane] = x; }
INLINE void set_lane(U &vector, int lane, uint32_t x) { reinterpret_cast<uint32_t *>(&vector)[lane] = x; }
