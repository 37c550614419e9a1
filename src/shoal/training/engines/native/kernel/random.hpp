// Counter-based random numbers, the same as those of shoal.streams: Threefry-2x32 (Salmon et al., SC 2011).

struct Words {
    U first, second;
};

INLINE U splat_bits(uint32_t x) { return x - U{}; }

INLINE Words threefry(const U key[2], U a, U b) {
    constexpr int ROUNDS = 13;
    constexpr int ROTATIONS[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    const U keys[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDAu};
    a += keys[0];
    b += keys[1];
#pragma GCC unroll 13
    for (int i = 0; i < ROUNDS; ++i) {
        const int turn = ROTATIONS[(i / 4) % 2][i % 4];
        a += b;
        b = ((b << turn) | (b >> (32 - turn))) ^ a;
        if (i % 4 == 3) {
            const int step = i / 4 + 1;
            a += keys[step % 3];
            b += keys[(step + 1) % 3] + (uint32_t)step;
        }
    }
    return {a, b};
}

INLINE V to_uniform(U bits) { return to_float((I)(bits >> 8)) * 0x1p-24f; }

// How often a member counts a row: a Poisson number with mean one.
INLINE V bootstrap_count(const U key[2], U row) {
    constexpr float BELOW[8] = {0.36787944117f, 0.73575888234f, 0.91969860293f, 0.98101184312f,
                                0.99634015317f, 0.99940581518f, 0.99991675885f, 0.99998975080f};
    const V u = to_uniform(threefry(key, row, U{}).first);
    V count{};
    for (float below : BELOW) count += only(u >= below, splat(1.0f));
    return count;
}

// A standard normal number for a target, by Box and Muller's transform.
INLINE V target_noise(const U key[2], U row, uint32_t output) {
    const Words words = threefry(key, row, splat_bits(output));
    return root(-2.0f * log_one_plus(-to_uniform(words.first))) * cosine_of_turns(to_uniform(words.second));
}
