// The network's pass: layer after layer, the panels of a layer spread over threads. Every sum is
// formed by one task in one order, so the number of threads cannot change a bit of the result.
#include "api.h"
#include "mann.h"

#include <string.h>

#include <new>
#include <vector>

#include "cpu.h"
#include "pool.h"

extern "C" {
extern const MannTable a3d_mann_baseline, a3d_mann_avx2, a3d_mann_avx512;
}

namespace {

const MannTable* mann_table(int isa) {
#ifdef A3D_X86
    return choose_table(isa, &a3d_mann_baseline, &a3d_mann_avx2, &a3d_mann_avx512);
#else
    return choose_table<MannTable>(isa, &a3d_mann_baseline, nullptr, nullptr);
#endif
}

int most_inputs(const A3dMann* m) {
    int most = m->inputs;
    for (const A3dMannLayer& layer : m->layers) {
        most = layer.inputs > most ? layer.inputs : most;
        most = layer.panel_count * PANEL > most ? layer.panel_count * PANEL : most;
    }
    return most;
}

void run_one(const A3dMann* m, const MannTable* table, const float* x, float* y, float* shares,
             int threads) {
    const int wide = most_inputs(m);
    std::vector<float> space(2 * wide, 0.0f);
    float *in = space.data(), *out = in + wide;
    // Between two frames everything may have left the caches: ask for the small things at once.
    for (int64_t i = 0; i < m->small_bytes; i += 64) __builtin_prefetch((const char*)m->small + i);
    for (int i = 0; i < 8192; i += 64) __builtin_prefetch((const char*)m->layers[0].panels + i);
    table->prepare(m, x, 1, 1, in, shares);
    for (int layer = 0; layer < 3; layer++) {
        float* to = layer == 2 ? y : out;
        parallel_for(m->layers[layer].panel_count, threads, [=](int64_t panel) {
            table->one_panel(m, layer, (int)panel, in, shares, to);
        });
        float* swap = in;
        in = out, out = swap;
    }
}

void run_rows(const A3dMann* m, const MannTable* table, const float* x, int rows, float* y,
              float* shares, int threads) {
    const int height = table->block_rows, blocks = (rows + height - 1) / height;
    const int wide = most_inputs(m);
    // Rows that fill up the last block are zeros with zero shares: they add nothing anywhere.
    std::vector<float> space((size_t)2 * blocks * height * wide, 0.0f);
    std::vector<float> padded((size_t)blocks * height * m->experts, 0.0f);
    float *in = space.data(), *out = in + (size_t)blocks * height * wide, *share = padded.data();
    parallel_for(blocks, threads, [=](int64_t block) {
        const int first = (int)block * height, left = rows - first < height ? rows - first : height;
        table->prepare(m, x + (int64_t)first * m->inputs, left, height,
                       in + (int64_t)first * m->layers[0].inputs, share + first * m->experts);
    });
    memcpy(shares, share, sizeof(float) * rows * m->experts);
    for (int layer = 0; layer < 3; layer++) {
        float* to = layer == 2 ? y : out;
        parallel_for(m->layers[layer].panel_count, threads, [=](int64_t panel) {
            static thread_local std::vector<float> scratch;
            scratch.resize((size_t)(blocks * height + wide) * PANEL + 16);
            // From a cache line's beginning, so that no vector lies on two lines.
            float* aligned = (float*)(((uintptr_t)scratch.data() + 63) & ~(uintptr_t)63);
            table->batch_panel(m, layer, (int)panel, rows, in, share, aligned, to);
        });
        float* swap = in;
        in = out, out = swap;
    }
}

}  // namespace

// Predict `batch` characters: x (batch, inputs) -> y (batch, outputs), shares (batch, experts).
// Returns 1; 0 when memory runs out, the processor lacks `isa` or a size is beyond what is built in.
A3D_API int a3d_mann(const A3dMann* m, const float* x, int64_t batch, float* y, float* shares,
                     int threads, int isa) {
    const MannTable* table = mann_table(isa);
    if (!table || m->experts > MOST_EXPERTS || m->gates > MOST_GATES ||
        m->gating_hidden > MOST_GATES)
        return 0;
    try {
        if (batch == 1) {
            run_one(m, table, x, y, shares, threads);
            return 1;
        }
        for (int64_t first = 0; first < batch; first += ROWS_AT_ONCE) {
            const int rows = (int)(batch - first < ROWS_AT_ONCE ? batch - first : ROWS_AT_ONCE);
            run_rows(m, table, x + first * m->inputs, rows, y + first * m->layers[2].outputs,
                     shares + first * m->experts, threads);
        }
    } catch (const std::bad_alloc&) {
        return 0;
    }
    return 1;
}

// Read `count` floats once with one thread; the sum is returned so that the reading happens.
A3D_API float a3d_read_loop(const float* values, int64_t count, int isa) {
    const MannTable* table = mann_table(isa);
    return table ? table->read_loop(values, count) : 0.0f;
}
