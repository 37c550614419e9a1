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

// A list that grows. It is not std::vector's: the linker would take one instruction set's for all.
template <class T>
class List {
public:
    explicit List(long count = 0) : at(new T[count]()), count(count), room(count) {}
    List(const List &) = delete;
    List &operator=(const List &) = delete;
    ~List() { delete[] at; }

    void append(const T &value) {
        if (count == room) {
            room = 2 * room + 8;
            T *const more = new T[room]();
            for (long i = 0; i < count; ++i) more[i] = at[i];
            delete[] at;
            at = more;
        }
        at[count++] = value;
    }
    void resize(long to) {
        delete[] at;
        at = new T[to]();
        count = room = to;
    }
    long size() const { return count; }
    T *data() const { return at; }
    T *begin() const { return at; }
    T *end() const { return at + count; }
    T &last() const { return at[count - 1]; }
    T &operator[](long i) const { return at[i]; }

private:
    T *at;
    long count, room;
};

INLINE void set_lane(V &vector, int lane, float x) { reinterpret_cast<float *>(&vector)[lane] = x; }
INLINE void set_lane(I &vector, int lane, int32_t x) { reinterpret_cast<int32_t *>(&vector)[lane] = x; }
INLINE void set_lane(U &vector, int lane, uint32_t x) { reinterpret_cast<uint32_t *>(&vector)[lane] = x; }
