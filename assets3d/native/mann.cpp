// One instruction set's kernels of the mode-adaptive network. build.py compiles this file several
// times: A3D_TABLE names the table it exports, the -m flags choose the vectors.
//
// A layer is sum_e share_e (A_e h + b_e). For one character the work is reading 22 MB of weights, so
// they lie in the order in which they are read. For a batch, each panel of each expert is a small
// matrix product that stays in the second-level cache while all characters pass by.
// No C++ library here: its inline functions, compiled for the newest vectors, would be shared.
#include "mann.h"

#include <math.h>
#include <string.h>

#include "simd.h"

namespace {

constexpr int VECTORS = PANEL / LANES;         // vectors in a row of a panel
constexpr int CHAINS = VECTORS < 8 ? 8 / VECTORS : 1;  // independent sums, to hide latency
constexpr int COLUMNS = 2;                     // vectors of a row that one matrix block covers
constexpr int BLOCK_ROWS = LANES == 16 ? 13 : 6;
constexpr int AHEAD = 8192;                    // bytes that prefetching runs ahead

// Into the second level: the first has too few buffers for lines on their way from memory.
A3D_INLINE void prefetch(const void* place) { __builtin_prefetch((const char*)place + AHEAD, 0, 2); }

A3D_INLINE VF elu(VF v) {
    const VF zero = set1(0.0f), one = set1(1.0f);
    const VF below = exp2_of(min(v, zero) * set1(1.44269504f)) - one;
    return select(cmp_ge(all_lanes(), v, zero), v, below);
}

float elu_one(float v) { return v >= 0.0f ? v : expf(v) - 1.0f; }

// One dense layer of the gating network, weights (in, out): sums run over inputs in order.
void gate_layer(const float* weights, const float* biases, const float* in, int inputs, int outputs,
                float* out) {
    for (int o = 0; o < outputs; o++) out[o] = biases[o];
    for (int k = 0; k < inputs; k++)
        for (int o = 0; o < outputs; o++) out[o] += weights[k * outputs + o] * in[k];
}

void softmax(float* values, int count, float threshold) {
    float most = values[0], sum = 0.0f;
    for (int e = 1; e < count; e++) most = values[e] > most ? values[e] : most;
    for (int e = 0; e < count; e++) sum += values[e] = expf(values[e] - most);
    for (int e = 0; e < count; e++) values[e] /= sum;
    if (threshold <= 0.0f) return;
    const float largest = 1.0f / sum;  // exp(0) / sum
    float kept = 0.0f;
    for (int e = 0; e < count; e++) {
        if (values[e] < threshold && values[e] < largest) values[e] = 0.0f;
        kept += values[e];
    }
    for (int e = 0; e < count; e++) values[e] /= kept;
}

void prepare(const A3dMann* m, const float* x, int rows, int stride, float* block, float* shares) {
    float gates[MOST_GATES], first[MOST_GATES], second[MOST_GATES];
    const int wide = m->gating_hidden;
    for (int row = 0; row < rows; row++, x += m->inputs, shares += m->experts) {
        for (int k = 0; k < m->inputs; k++)
            block[k * stride + row] = (x[k] - m->input_mean[k]) / m->input_std[k];
        for (int i = 0; i < m->gates; i++) gates[i] = block[m->gating[i] * stride + row];
        gate_layer(m->gate_weights[0], m->gate_biases[0], gates, m->gates, wide, first);
        for (int i = 0; i < wide; i++) first[i] = elu_one(first[i]);
        gate_layer(m->gate_weights[1], m->gate_biases[1], first, wide, wide, second);
        for (int i = 0; i < wide; i++) second[i] = elu_one(second[i]);
        gate_layer(m->gate_weights[2], m->gate_biases[2], second, wide, m->experts, shares);
        softmax(shares, m->experts, m->threshold);
    }
}

constexpr int HALF = 16 / LANES;  // vectors in a row of 16 words

// Inputs and bytes of a group, bytes of what comes before the groups and of an expert's whole part.
template <int STORAGE>
constexpr int group_inputs() {
    return STORAGE == THIRDS ? 3 : MOST_TOGETHER;
}
template <int STORAGE>
constexpr int group_bytes() {
    return STORAGE == FLOAT32 ? 16 * PANEL : STORAGE == INT16 ? 8 * PANEL : 4 * PANEL;
}
template <int STORAGE>
constexpr int head_bytes() {
    return 4 * PANEL * (STORAGE == FLOAT32 ? 1 : 2);
}
template <int STORAGE>
A3D_INLINE int64_t part_bytes(const A3dMannLayer& layer) {
    return head_bytes<STORAGE>() + (int64_t)layer.inputs / group_inputs<STORAGE>() * group_bytes<STORAGE>();
}

A3D_INLINE VI words_at(const char* place) { return (VI)load((const float*)place); }
A3D_INLINE VF number(VI v) { return __builtin_convertvector(v, VF); }

// The weights of a group, integers not yet scaled and with what follows their bits:
// out[input][vector of outputs].
template <int STORAGE>
A3D_INLINE void unpack(const char* group, VF (*out)[VECTORS]) {
    const int bytes = 4 * LANES;
    if (STORAGE == FLOAT32)
        for (int k = 0; k < MOST_TOGETHER; k++)
            for (int v = 0; v < VECTORS; v++)
                out[k][v] = load((const float*)(group + (k * VECTORS + v) * bytes));
    if (STORAGE == INT16)
        for (int k = 0; k < MOST_TOGETHER; k++)
            for (int v = 0; v < HALF; v++) {
                const VI words = words_at(group + (k * HALF + v) * bytes);
                out[k][v] = number(words << 16), out[k][HALF + v] = number(words);
            }
    if (STORAGE == THIRDS)
        for (int v = 0; v < VECTORS; v++) {
            const VI words = words_at(group + v * bytes);
            out[0][v] = number(words);
            out[1][v] = number(words << 11);
            out[2][v] = number(words << 22);
        }
}

// `count` outputs from `first` on, scaled back to the data's units.
A3D_INLINE void write_outputs(const A3dMann* m, int first, const float* values, float* out) {
    const int end = m->layers[2].outputs, count = end - first < PANEL ? end - first : PANEL;
    for (int i = 0; i < count; i++)
        out[i] = values[i] * m->output_std[first + i] + m->output_mean[first + i];
}

template <int STORAGE>
void one_panel_of(const A3dMann* m, int depth, int panel, const float* in, const float* shares,
                  float* out) {
    const A3dMannLayer& layer = m->layers[depth];
    const int64_t size = part_bytes<STORAGE>(layer);
    const char* part = (const char*)layer.panels + panel * size * m->experts;
    const int first = panel * PANEL;
    VF total[VECTORS];
    for (int v = 0; v < VECTORS; v++) total[v] = set1(0.0f);
    for (int e = 0; e < m->experts; e++, part += size) {
        if (shares[e] == 0.0f) continue;
        const float *bias = (const float*)part, *scale = bias + PANEL;
        VF sums[CHAINS][VECTORS];
        for (int c = 0; c < CHAINS; c++)
            for (int v = 0; v < VECTORS; v++) sums[c][v] = set1(0.0f);
        const char* group = part + head_bytes<STORAGE>();
        for (int k = 0; k < layer.inputs; k += group_inputs<STORAGE>(), group += group_bytes<STORAGE>()) {
            for (int line = 0; line < group_bytes<STORAGE>(); line += 64) prefetch(group + line);
            VF weights[MOST_TOGETHER][VECTORS];
            unpack<STORAGE>(group, weights);
            for (int i = 0; i < group_inputs<STORAGE>(); i++) {
                const VF value = set1(in[k + i]);
                for (int v = 0; v < VECTORS; v++)
                    sums[i % CHAINS][v] = fma(weights[i][v], value, sums[i % CHAINS][v]);
            }
        }
        for (int v = 0; v < VECTORS; v++) {
            VF sum = sums[0][v];
            for (int c = 1; c < CHAINS; c++) sum = sum + sums[c][v];
            const VF offset = load(bias + v * LANES);
            sum = STORAGE == FLOAT32 ? sum + offset : fma(sum, load(scale + v * LANES), offset);
            total[v] = fma(sum, set1(shares[e]), total[v]);
        }
    }
    float values[PANEL];
    for (int v = 0; v < VECTORS; v++) store(values + v * LANES, depth < 2 ? elu(total[v]) : total[v]);
    if (depth < 2) memcpy(out + first, values, sizeof values);
    else write_outputs(m, first, values, out + first);
}

void one_panel(const A3dMann* m, int layer, int panel, const float* in, const float* shares,
               float* out) {
    if (m->storage == INT16) one_panel_of<INT16>(m, layer, panel, in, shares, out);
    else if (m->storage == THIRDS) one_panel_of<THIRDS>(m, layer, panel, in, shares, out);
    else one_panel_of<FLOAT32>(m, layer, panel, in, shares, out);
}

// total[row] += share[row] * (block of rows times the panel's COLUMNS vectors from `column` on).
A3D_INLINE void matrix_block(const float* weights, const float* in, int inputs, const float* bias,
                             const float* shares, int share_stride, int column, float* total) {
    VF sums[BLOCK_ROWS][COLUMNS];
    for (int r = 0; r < BLOCK_ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) sums[r][c] = load(bias + (column + c) * LANES);
    const float* row = weights + column * LANES;
    for (int k = 0; k < inputs; k++, row += PANEL, in += BLOCK_ROWS) {
        VF values[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) values[c] = load(row + c * LANES);
#pragma GCC unroll 16
        for (int r = 0; r < BLOCK_ROWS; r++)
            for (int c = 0; c < COLUMNS; c++) sums[r][c] = fma(values[c], set1(in[r]), sums[r][c]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < BLOCK_ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) {
            float* place = total + r * PANEL + (column + c) * LANES;
            store(place, fma(sums[r][c], set1(shares[r * share_stride]), load(place)));
        }
}

// Unpack one expert's part of a panel into `space`. Float32 is copied too: all characters then read
// the same few pages, which is a quarter faster than reading them where they are.
template <int STORAGE>
void unpack_part(const char* part, int inputs, float* space) {
    const char* group = part + head_bytes<STORAGE>();
    const float* scale = (const float*)part + PANEL;
    for (int k = 0; k < inputs; k += group_inputs<STORAGE>(), group += group_bytes<STORAGE>()) {
        VF weights[MOST_TOGETHER][VECTORS];
        unpack<STORAGE>(group, weights);
        for (int i = 0; i < group_inputs<STORAGE>(); i++)
            for (int v = 0; v < VECTORS; v++)
                store(space + (k + i) * PANEL + v * LANES,
                      STORAGE == FLOAT32 ? weights[i][v]
                                         : weights[i][v] * load(scale + v * LANES));
    }
}

bool all_zero(const float* shares, int stride) {
    for (int r = 0; r < BLOCK_ROWS; r++)
        if (shares[r * stride] != 0.0f) return false;
    return true;
}

template <int STORAGE>
void batch_panel_of(const A3dMann* m, int depth, int panel, int rows, const float* in,
                    const float* shares, float* scratch, float* out) {
    const A3dMannLayer& layer = m->layers[depth];
    const int blocks = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS, first = panel * PANEL;
    const int block_size = layer.inputs * BLOCK_ROWS;
    float* totals = scratch;
    float* space = totals + blocks * BLOCK_ROWS * PANEL;
    memset(totals, 0, sizeof(float) * blocks * BLOCK_ROWS * PANEL);
    const int64_t size = part_bytes<STORAGE>(layer);
    const char* part = (const char*)layer.panels + panel * size * m->experts;
    for (int e = 0; e < m->experts; e++, part += size) {
        bool unpacked = false;
        for (int b = 0; b < blocks; b++) {
            const float* share = shares + b * BLOCK_ROWS * m->experts + e;
            // Meanwhile the next part comes nearer, a share of it with each block of characters.
            for (int64_t i = size * b / blocks; i < size * (b + 1) / blocks; i += 64)
                __builtin_prefetch(part + size + i, 0, 2);
            if (all_zero(share, m->experts)) continue;
            if (!unpacked) unpack_part<STORAGE>(part, layer.inputs, space);
            unpacked = true;
            for (int column = 0; column < VECTORS; column += COLUMNS)
                matrix_block(space, in + b * block_size, layer.inputs, (const float*)part, share,
                             m->experts, column, totals + b * BLOCK_ROWS * PANEL);
        }
    }
    for (int row = 0; row < rows; row++) {
        float* values = totals + row * PANEL;
        if (depth == 2) {
            write_outputs(m, first, values, out + (int64_t)row * layer.outputs + first);
            continue;
        }
        for (int v = 0; v < VECTORS; v++) store(values + v * LANES, elu(load(values + v * LANES)));
        const int inputs = m->layers[depth + 1].inputs, block = row / BLOCK_ROWS;
        float* column = out + (int64_t)block * inputs * BLOCK_ROWS + row % BLOCK_ROWS;
        for (int i = 0; i < PANEL && first + i < inputs; i++)
            column[(first + i) * BLOCK_ROWS] = values[i];
        if (panel < layer.panel_count - 1) continue;
        for (int k = first + PANEL; k < inputs; k++) column[k * BLOCK_ROWS] = 0.0f;
    }
}

void batch_panel(const A3dMann* m, int layer, int panel, int rows, const float* in,
                 const float* shares, float* scratch, float* out) {
    if (m->storage == INT16) batch_panel_of<INT16>(m, layer, panel, rows, in, shares, scratch, out);
    else if (m->storage == THIRDS)
        batch_panel_of<THIRDS>(m, layer, panel, rows, in, shares, scratch, out);
    else batch_panel_of<FLOAT32>(m, layer, panel, rows, in, shares, scratch, out);
}

// A yardstick: read `count` floats once, as fast as one thread can.
float read_loop(const float* values, int64_t count) {
    VF sums[8];
    for (int i = 0; i < 8; i++) sums[i] = set1(0.0f);
    for (int64_t i = 0; i + 8 * LANES <= count; i += 8 * LANES) {
        for (int line = 0; line < 8 * LANES; line += 16)
            prefetch(values + i + line);
        for (int j = 0; j < 8; j++) sums[j] = sums[j] + load(values + i + j * LANES);
    }
    for (int i = 1; i < 8; i++) sums[0] = sums[0] + sums[i];
    return sums[0][0];
}

}  // namespace

extern "C" {
extern const MannTable A3D_TABLE;
const MannTable A3D_TABLE = {BLOCK_ROWS, prepare, one_panel, batch_panel, read_loop};
}
