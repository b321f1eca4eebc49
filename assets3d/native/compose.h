// Front-to-back alpha composition of one tile, and its gradient.
//
// Forward goes block by block with the block's transmittance and sums in registers. Backward goes
// Gaussian by Gaussian, so that the moments of one Gaussian in this tile stay in registers, and walks
// front to back again: with S = what lies behind (colour, alpha and depth times their upstream
// gradients), dL/dalpha = T g - S / (1 - alpha) needs no stored lists and no division of T.
#pragma once
#include "projection.h"

namespace {

constexpr uint32_t AHEAD = 8;  // entries between asking for memory and using it
constexpr int BATCH = 256;  // entries whose block lists are made at once

struct TilePixels {
    alignas(64) float x[BLOCKS][BLOCK_PIXELS], y[BLOCKS][BLOCK_PIXELS];
};

// Pixel centres of a tile, and which lanes lie in the picture.
A3D_INLINE uint32_t place_tile(const Frame* f, int tile, TilePixels& p, VM (*alive)[VECTORS]) {
    const int left = tile % f->tiles_x * TILE, top = tile / f->tiles_x * TILE;
    const VF width = set1((float)f->camera.width), height = set1((float)f->camera.height);
    uint32_t live = 0;
    for (int b = 0; b < BLOCKS; b++) {
        for (int i = 0; i < BLOCK_PIXELS; i++) {
            p.x[b][i] = (float)(left + b % 4 * 4 + i % 4) + 0.5f;
            p.y[b][i] = (float)(top + b / 4 * BLOCK_HEIGHT + i / 4) + 0.5f;
        }
        for (int v = 0; v < VECTORS; v++) {
            alive[b][v] = cmp_gt(cmp_gt(all_lanes(), width, load(p.x[b] + v * LANES)), height,
                                 load(p.y[b] + v * LANES));
            if (any(alive[b][v])) live |= 1u << b;
        }
    }
    return live;
}

// opacity * exp(-quadratic / 2) at the pixels; dx, dy run from the Gaussian's centre to the pixel.
A3D_INLINE VF falloff(const float* record, VF px, VF py, VF& dx, VF& dy) {
    dx = px - set1(record[0]);
    dy = py - set1(record[1]);
    const VF slant = fma(set1(record[3]), dy, set1(record[2]) * dx);
    const VF power = fnma(dy, set1(record[4]) * dy, fnma(dx, slant, set1(record[5])));
    return exp2_of(power);
}

template <int C, bool COUNT>
A3D_INLINE int64_t forward_block(const Frame* f, const float* const* list, int count, VF* state,
                                 VM* alive, const float* x, const float* y, int offset) {
    const VF cut = set1(f->camera.alpha_cut), cap = set1(f->camera.max_alpha);
    const VF stop = set1(f->camera.transmittance_stop);
    VF s[VECTORS][C + 2], px[VECTORS], py[VECTORS];
    VM live[VECTORS];
    int64_t pairs = 0;
    for (int v = 0; v < VECTORS; v++) {
        for (int k = 0; k < C + 2; k++) s[v][k] = state[k * VECTORS + v];
        px[v] = load(x + v * LANES), py[v] = load(y + v * LANES);
        live[v] = alive[v];
    }
    for (int i = 0; i < count; i++) {
        const float* record = list[i];
        bool more = false;
        for (int v = 0; v < VECTORS; v++) {
            VF dx, dy;
            const VF alpha = min(falloff(record, px[v], py[v], dx, dy), cap);
            const VM hit = cmp_ge(live[v], alpha, cut);
            const VF next = fnma(alpha, s[v][0], s[v][0]);
            const VM kept = cmp_gt(hit, next, stop);
            const VF weight = keep(kept, alpha * s[v][0]);
            live[v] = live[v] ^ (hit ^ kept);
            s[v][0] = select(kept, next, s[v][0]);
            s[v][1] = fma(weight, set1(record[6]), s[v][1]);
            for (int c = 0; c < C; c++)
                s[v][2 + c] = fma(weight, set1(record[RECORD_HEAD + offset + c]), s[v][2 + c]);
            if (COUNT) pairs += __builtin_popcount(bits(kept));
            more |= any(live[v]);
        }
        if (!more) break;
    }
    for (int v = 0; v < VECTORS; v++) {
        for (int k = 0; k < C + 2; k++) state[k * VECTORS + v] = s[v][k];
        alive[v] = live[v];
    }
    return pairs;
}

// Write a finished tile: state is [block][1 - alpha, depth, features][pixel].
A3D_INLINE void write_tile(const Frame* f, int tile, const float* state, int width, int offset,
                           int channels) {
    const int left = tile % f->tiles_x * TILE, top = tile / f->tiles_x * TILE;
    const int right = f->camera.width - left < TILE ? f->camera.width - left : TILE;
    const int bottom = f->camera.height - top < TILE ? f->camera.height - top : TILE;
    for (int y = 0; y < bottom; y++) {
        const int64_t row = (int64_t)(top + y) * f->camera.width + left;
        for (int x = 0; x < right; x++) {
            const int block = y / BLOCK_HEIGHT * 4 + x / 4;
            const float* from = state + block * width * BLOCK_PIXELS + y % BLOCK_HEIGHT * 4 + x % 4;
            float* to = f->out_features + (row + x) * f->channels + offset;
            for (int c = 0; c < channels; c++) to[c] = from[(2 + c) * BLOCK_PIXELS];
            if (f->background)
                for (int c = 0; c < channels; c++) to[c] += from[0] * f->background[offset + c];
            if (offset) continue;
            f->out_alpha[row + x] = 1.0f - from[0];
            f->out_depth[row + x] = from[BLOCK_PIXELS];
        }
    }
}

template <int C, bool COUNT>
int64_t forward_pass(Frame* f, int tile, int offset, int channels) {
    TilePixels pixels;
    VM alive[BLOCKS][VECTORS];
    alignas(64) VF state[BLOCKS][(C + 2) * VECTORS];
    const float* lists[BLOCKS][BATCH];
    uint32_t live = place_tile(f, tile, pixels, alive);
    for (int b = 0; b < BLOCKS; b++)
        for (int k = 0; k < (C + 2) * VECTORS; k++) state[b][k] = set1(k < VECTORS ? 1.0f : 0.0f);
    int64_t pairs = 0;
    const uint32_t end = f->tile_start[tile + 1];
    for (uint32_t from = f->tile_start[tile]; from < end && live; from += BATCH) {
        const uint32_t to = end - from < (uint32_t)BATCH ? end : from + BATCH;
        int counts[BLOCKS] = {};
        for (uint32_t e = from; e < to; e++) {
            const float* record = f->records + (int64_t)f->entries[e].rank * f->record_stride;
            __builtin_prefetch(record);
            for (uint32_t left = f->entries[e].blocks & live; left; left &= left - 1) {
                const int b = __builtin_ctz(left);
                lists[b][counts[b]++] = record;
            }
        }
        for (int b = 0; b < BLOCKS; b++) {
            if (!counts[b]) continue;
            pairs += forward_block<C, COUNT>(f, lists[b], counts[b], state[b], alive[b],
                                             pixels.x[b], pixels.y[b], offset);
            bool more = false;
            for (int v = 0; v < VECTORS; v++) more |= any(alive[b][v]);
            if (!more) live &= ~(1u << b);
        }
    }
    if (!COUNT) write_tile(f, tile, (const float*)state, C + 2, offset, channels);
    return pairs;
}

// Upstream gradients of a tile into [block][g][pixel], g = T, S, alpha's, depth's, then features'.
A3D_INLINE void read_upstream(const Frame* f, int tile, float* state, int width, int offset,
                              int channels) {
    const int left = tile % f->tiles_x * TILE, top = tile / f->tiles_x * TILE;
    const int right = f->camera.width - left < TILE ? f->camera.width - left : TILE;
    const int bottom = f->camera.height - top < TILE ? f->camera.height - top : TILE;
    for (int y = 0; y < bottom; y++) {
        const int64_t row = (int64_t)(top + y) * f->camera.width + left;
        for (int x = 0; x < right; x++) {
            const int block = y / BLOCK_HEIGHT * 4 + x / 4;
            float* to = state + block * width * BLOCK_PIXELS + y % BLOCK_HEIGHT * 4 + x % 4;
            const int64_t at = (row + x) * f->channels + offset;
            const float alpha = offset || !f->upstream_alpha ? 0.0f : f->upstream_alpha[row + x];
            const float depth = offset || !f->upstream_depth ? 0.0f : f->upstream_depth[row + x];
            float behind = 0.0f, through = 0.0f;
            if (f->upstream_features)
                for (int c = 0; c < channels; c++) {
                    const float up = f->upstream_features[at + c];
                    to[(4 + c) * BLOCK_PIXELS] = up;
                    behind += up * f->out_features[at + c];
                    if (f->background) through += up * f->background[offset + c];
                }
            // The background shows by 1 - alpha: its share belongs to alpha's gradient.
            to[BLOCK_PIXELS] = behind - through + alpha * f->out_alpha[row + x] +
                               depth * f->out_depth[row + x];
            to[2 * BLOCK_PIXELS] = alpha - through;
            to[3 * BLOCK_PIXELS] = depth;
        }
    }
}

template <int C>
void backward_pass(Frame* f, int tile, int offset, int channels) {
    constexpr int WIDTH = C + 4;
    const uint32_t begin = f->tile_start[tile], end = f->tile_start[tile + 1];
    if (begin == end) return;
    TilePixels pixels;
    VM alive[BLOCKS][VECTORS];
    alignas(64) float state[BLOCKS][WIDTH][BLOCK_PIXELS];
    uint32_t live = place_tile(f, tile, pixels, alive);
    for (int b = 0; b < BLOCKS; b++)
        for (int k = 0; k < WIDTH; k++)
            for (int i = 0; i < BLOCK_PIXELS; i++) state[b][k][i] = k == 0 ? 1.0f : 0.0f;
    read_upstream(f, tile, &state[0][0][0], WIDTH, offset, channels);
    const VF cut = set1(f->camera.alpha_cut), cap = set1(f->camera.max_alpha);
    const VF stop = set1(f->camera.transmittance_stop), one = set1(1.0f);
    for (uint32_t e = begin; e < end && live; e++) {
        const Entry& soon = f->entries[e + AHEAD < end ? e + AHEAD : e];
        __builtin_prefetch(f->records + (int64_t)soon.rank * f->record_stride);
        __builtin_prefetch(f->slots + (int64_t)soon.slot * f->slot_stride, 1);
        uint32_t left = f->entries[e].blocks & live;
        if (!left) continue;
        const float* record = f->records + (int64_t)f->entries[e].rank * f->record_stride;
        VF sums[16];
        for (int k = 0; k < SLOT_HEAD + C; k++) sums[k] = set1(0.0f);
        for (; left; left &= left - 1) {
            const int b = __builtin_ctz(left);
            bool more = false;
            for (int v = 0; v < VECTORS; v++) {
                const int at = v * LANES;
                VF dx, dy;
                const VF raw = falloff(record, load(pixels.x[b] + at), load(pixels.y[b] + at), dx, dy);
                const VF alpha = min(raw, cap);
                const VF before = load(state[b][0] + at);
                const VM hit = cmp_ge(alive[b][v], alpha, cut);
                const VF next = fnma(alpha, before, before);
                const VM kept = cmp_gt(hit, next, stop);
                const VF weight = keep(kept, alpha * before);
                alive[b][v] = alive[b][v] ^ (hit ^ kept);
                more |= any(alive[b][v]);
                store(state[b][0] + at, select(kept, next, before));
                const VF up_depth = load(state[b][3] + at);
                VF gain = fma(set1(record[6]), up_depth, load(state[b][2] + at));
                sums[6] = fma(weight, up_depth, sums[6]);
                for (int c = 0; c < C; c++) {
                    const VF up = load(state[b][4 + c] + at);
                    gain = fma(set1(record[RECORD_HEAD + offset + c]), up, gain);
                    sums[SLOT_HEAD + c] = fma(weight, up, sums[SLOT_HEAD + c]);
                }
                const VF behind = fnma(weight, gain, load(state[b][1] + at));
                store(state[b][1] + at, behind);
                // alpha dL/dalpha; nothing flows through a saturated alpha.
                const VM free = cmp_ge(kept, cap, raw);
                const VF share = alpha * reciprocal(one - alpha);
                const VF h = keep(free, fnma(behind, share, weight * gain));
                const VF hx = h * dx, hy = h * dy;
                sums[0] = sums[0] + h, sums[1] = sums[1] + hx, sums[2] = sums[2] + hy;
                sums[3] = fma(hx, dx, sums[3]), sums[4] = fma(hx, dy, sums[4]);
                sums[5] = fma(hy, dy, sums[5]);
            }
            if (!more) live &= ~(1u << b);
        }
        const uint32_t slot = f->entries[e].slot;
        float* to = f->slots + (int64_t)slot * f->slot_stride;
        if (!offset) {
            horizontal_sums(sums, SLOT_HEAD + C, to);
            f->written[slot] = 1;
            continue;
        }
        alignas(64) float total[16];
        horizontal_sums(sums, SLOT_HEAD + C, total);
        for (int k = 0; k < SLOT_HEAD; k++) to[k] += total[k];
        for (int c = 0; c < C; c++) to[SLOT_HEAD + offset + c] = total[SLOT_HEAD + c];
    }
}

}  // namespace
