#pragma once

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
