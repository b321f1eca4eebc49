// One float vector per instruction set: LANES floats `VF`, a lane mask `VM`, and the few operations
// the kernel needs. Everything is static: this header is compiled several times with different -m
// flags into one library, so nothing in it may become a symbol that the linker could share.
#pragma once
#include <stdint.h>
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#define A3D_INLINE static inline __attribute__((always_inline))

namespace {

#if defined(__AVX512F__) && defined(__AVX512DQ__)
constexpr int LANES = 16;
#elif defined(__AVX2__) && defined(__FMA__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float VF __attribute__((vector_size(4 * LANES)));
typedef int32_t VI __attribute__((vector_size(4 * LANES)));
typedef float VFu __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

A3D_INLINE VF load(const float* p) { return (VF) * (const VFu*)p; }
A3D_INLINE void store(float* p, VF v) { *(VFu*)p = (VFu)v; }

#if defined(__AVX512F__) && defined(__AVX512DQ__)
typedef __mmask16 VM;
A3D_INLINE VF set1(float s) { return (VF)_mm512_set1_ps(s); }
A3D_INLINE VF fma(VF a, VF b, VF c) { return (VF)_mm512_fmadd_ps(a, b, c); }
A3D_INLINE VF fnma(VF a, VF b, VF c) { return (VF)_mm512_fnmadd_ps(a, b, c); }
A3D_INLINE VF min(VF a, VF b) { return (VF)_mm512_min_ps(a, b); }
A3D_INLINE VF max(VF a, VF b) { return (VF)_mm512_max_ps(a, b); }
A3D_INLINE VF sqrt(VF a) { return (VF)_mm512_sqrt_ps(a); }
A3D_INLINE VM cmp_ge(VM m, VF a, VF b) { return _mm512_mask_cmp_ps_mask(m, a, b, _CMP_GE_OQ); }
A3D_INLINE VM cmp_gt(VM m, VF a, VF b) { return _mm512_mask_cmp_ps_mask(m, a, b, _CMP_GT_OQ); }
A3D_INLINE VM all_lanes() { return 0xffff; }
A3D_INLINE bool any(VM m) { return m != 0; }
A3D_INLINE unsigned bits(VM m) { return m; }
A3D_INLINE VF keep(VM m, VF a) { return (VF)_mm512_maskz_mov_ps(m, a); }
A3D_INLINE VF select(VM m, VF a, VF b) { return (VF)_mm512_mask_mov_ps(b, m, a); }
A3D_INLINE VF reciprocal(VF a) {
    VF r = (VF)_mm512_rcp14_ps(a);
    return fma(r, fnma(a, r, set1(1.0f)), r);
}
#elif defined(__AVX2__) && defined(__FMA__)
typedef VI VM;
A3D_INLINE VF set1(float s) { return (VF)_mm256_set1_ps(s); }
A3D_INLINE VF fma(VF a, VF b, VF c) { return (VF)_mm256_fmadd_ps(a, b, c); }
A3D_INLINE VF fnma(VF a, VF b, VF c) { return (VF)_mm256_fnmadd_ps(a, b, c); }
A3D_INLINE VF min(VF a, VF b) { return (VF)_mm256_min_ps(a, b); }
A3D_INLINE VF max(VF a, VF b) { return (VF)_mm256_max_ps(a, b); }
A3D_INLINE VF sqrt(VF a) { return (VF)_mm256_sqrt_ps(a); }
A3D_INLINE VM cmp_ge(VM m, VF a, VF b) { return m & (VI)_mm256_cmp_ps(a, b, _CMP_GE_OQ); }
A3D_INLINE VM cmp_gt(VM m, VF a, VF b) { return m & (VI)_mm256_cmp_ps(a, b, _CMP_GT_OQ); }
A3D_INLINE VM all_lanes() { return (VI)_mm256_set1_epi32(-1); }
A3D_INLINE unsigned bits(VM m) { return (unsigned)_mm256_movemask_ps((__m256)m); }
A3D_INLINE bool any(VM m) { return bits(m) != 0; }
A3D_INLINE VF keep(VM m, VF a) { return (VF)((VI)a & m); }
A3D_INLINE VF select(VM m, VF a, VF b) { return (VF)_mm256_blendv_ps(b, a, (__m256)m); }
A3D_INLINE VF reciprocal(VF a) { return set1(1.0f) / a; }
#else
// SSE2, NEON and anything else with 4-lane vectors, in GCC/Clang vector extensions only.
typedef VI VM;
A3D_INLINE VF set1(float s) { return VF{s, s, s, s}; }
A3D_INLINE VF fma(VF a, VF b, VF c) { return a * b + c; }
A3D_INLINE VF fnma(VF a, VF b, VF c) { return c - a * b; }
A3D_INLINE VF keep(VM m, VF a) { return (VF)((VI)a & m); }
A3D_INLINE VF select(VM m, VF a, VF b) { return (VF)(((VI)a & m) | ((VI)b & ~m)); }
#if defined(__SSE2__)
A3D_INLINE VF min(VF a, VF b) { return (VF)_mm_min_ps((__m128)a, (__m128)b); }
A3D_INLINE VF max(VF a, VF b) { return (VF)_mm_max_ps((__m128)a, (__m128)b); }
A3D_INLINE VF sqrt(VF a) { return (VF)_mm_sqrt_ps((__m128)a); }
A3D_INLINE unsigned bits(VM m) { return (unsigned)_mm_movemask_ps((__m128)m); }
#else
A3D_INLINE VF min(VF a, VF b) { return select(a < b, a, b); }
A3D_INLINE VF max(VF a, VF b) { return select(a > b, a, b); }
A3D_INLINE VF sqrt(VF a) {
    return VF{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]),
              __builtin_sqrtf(a[3])};
}
A3D_INLINE unsigned bits(VM m) {
    return (m[0] & 1) | (m[1] & 2) | (m[2] & 4) | (m[3] & 8);
}
#endif
A3D_INLINE VM cmp_ge(VM m, VF a, VF b) { return m & (VI)(a >= b); }
A3D_INLINE VM cmp_gt(VM m, VF a, VF b) { return m & (VI)(a > b); }
A3D_INLINE VM all_lanes() { return VI{-1, -1, -1, -1}; }
A3D_INLINE bool any(VM m) { return bits(m) != 0; }
A3D_INLINE VF reciprocal(VF a) { return set1(1.0f) / a; }
#endif

A3D_INLINE VF clamp(VF a, VF low, VF high) { return max(low, min(high, a)); }

// 2^x for x <= 0, relative error about 1e-7; far below zero it becomes (nearly) nothing.
#if defined(__AVX512F__) && defined(__AVX512DQ__)
A3D_INLINE VF exp2_of(VF x) {
    VF f = (VF)_mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF);  // x - floor(x)
    f = fma(f, fma(f, fma(f, fma(f, fma(f, set1(1.8775767e-3f), set1(8.9893397e-3f)),
                                 set1(5.5826318e-2f)), set1(2.4015361e-1f)), set1(6.9315308e-1f)),
            set1(9.9999994e-1f));
    return (VF)_mm512_scalef_ps(f, x);
}
#else
A3D_INLINE VF exp2_of(VF x) {
    x = max(x, set1(-126.0f));
    const VF magic = set1(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
    VF t = x + magic;
    VF f = x - (t - magic);  // -0.5 .. 0.5
    VF p = fma(f, fma(f, fma(f, fma(f, fma(f, set1(1.3276403e-3f), set1(9.6751600e-3f)),
                                    set1(5.5507132e-2f)), set1(2.4022120e-1f)),
                      set1(6.9314697e-1f)),
               set1(1.0f));
    return (VF)((VI)p + ((VI)t << 23));
}
#endif

// log2 of a positive normal number through 2 atanh((m-1)/(m+1)) / ln 2.
A3D_INLINE VF log2_of(VF x) {
    VI bits_of = (VI)x;
    VI exponent = (bits_of - 0x3f3504f3) >> 23;  // mantissa in sqrt(1/2) .. sqrt(2)
    VF m = (VF)(bits_of - (exponent << 23));
    VF s = (m - set1(1.0f)) / (m + set1(1.0f)), s2 = s * s;
    VF series = fma(s2, fma(s2, fma(s2, fma(s2, set1(1.0f / 9), set1(1.0f / 7)), set1(0.2f)),
                            set1(1.0f / 3)), set1(1.0f));
    return fma(s * series, set1(2.8853900818f), __builtin_convertvector(exponent, VF));
}

// Sum each of `count` (<= 16) vectors over its lanes into out[0 .. count); the rest of out[16] is 0.
#if defined(__AVX512F__) && defined(__AVX512DQ__)
A3D_INLINE void horizontal_sums(VF* v, int count, float* out) {
    for (int i = count; i < 16; i++) v[i] = set1(0.0f);
    VF a[8], b[4], c[2];
    for (int i = 0; i < 8; i++)
        a[i] = (VF)_mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]) +
               (VF)_mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]);
    for (int i = 0; i < 4; i++)
        b[i] = (VF)_mm512_shuffle_ps(a[2 * i], a[2 * i + 1], 0x44) +
               (VF)_mm512_shuffle_ps(a[2 * i], a[2 * i + 1], 0xee);
    for (int i = 0; i < 2; i++)
        c[i] = (VF)_mm512_shuffle_f32x4(b[2 * i], b[2 * i + 1], 0x44) +
               (VF)_mm512_shuffle_f32x4(b[2 * i], b[2 * i + 1], 0xee);
    VF d = (VF)_mm512_shuffle_f32x4(c[0], c[1], 0x88) + (VF)_mm512_shuffle_f32x4(c[0], c[1], 0xdd);
    store(out, d);
}
#elif defined(__AVX2__) && defined(__FMA__)
A3D_INLINE void horizontal_sums(VF* v, int count, float* out) {
    for (int i = count; i < 16; i++) v[i] = set1(0.0f);
    for (int i = count + 3 & ~3; i < 16; i++) out[i] = 0.0f;
    for (int i = 0; i < count; i += 4) {
        __m256 a = _mm256_hadd_ps(v[i], v[i + 1]), b = _mm256_hadd_ps(v[i + 2], v[i + 3]);
        __m256 c = _mm256_hadd_ps(a, b);
        _mm_storeu_ps(out + i, _mm_add_ps(_mm256_castps256_ps128(c), _mm256_extractf128_ps(c, 1)));
    }
}
#else
A3D_INLINE void horizontal_sums(VF* v, int count, float* out) {
    for (int i = 0; i < count; i++) out[i] = (v[i][0] + v[i][1]) + (v[i][2] + v[i][3]);
    for (int i = count; i < 16; i++) out[i] = 0.0f;
}
#endif

}  // namespace
