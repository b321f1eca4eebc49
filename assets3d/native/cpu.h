// Which instruction set this processor runs; the same answer for every kernel of the library.
#pragma once
#ifdef A3D_X86
#include <cpuid.h>

// 0 baseline, 1 AVX2 and FMA, 2 AVX-512 F, DQ, BW, VL: the processor must have the instructions and
// the system must save the registers. __builtin_cpu_supports finds nothing when zig is the compiler.
static int best_x86() {
    unsigned a, b, c, d, leaf1_c;
    if (!__get_cpuid(1, &a, &b, &leaf1_c, &d)) return 0;
    const unsigned fma = 1u << 12, saves = 1u << 27;
    if (!(leaf1_c & fma) || !(leaf1_c & saves) || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    unsigned saved, upper;
    __asm__("xgetbv" : "=a"(saved), "=d"(upper) : "c"(0));
    const unsigned avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    if ((saved & 0x6) != 0x6 || !(b & avx2)) return 0;
    return (saved & 0xe6) == 0xe6 && (b & avx512) == avx512 ? 2 : 1;
}
#endif

// The best of an x86 library's three tables for `isa` (0, 1, 2, or -1 for the best), null if this
// processor lacks it; `Table` is whatever a kernel source exports once per instruction set.
template <typename Table>
static const Table* choose_table(int isa, const Table* baseline, const Table* avx2,
                                 const Table* avx512) {
#ifdef A3D_X86
    static const int best = best_x86();
    if ((isa == 2 || isa < 0) && best >= 2) return avx512;
    if ((isa == 1 || isa < 0) && best >= 1) return avx2;
#else
    (void)avx2, (void)avx512;
#endif
    return isa <= 0 ? baseline : nullptr;
}
