// Gaussians to screen ellipses (EWA splatting, Zwicker et al. 2001, as in Kerbl et al. 2023), LANES at
// a time, the blocks of each tile that an ellipse touches, and the gradient of all that.
#pragma once
#include <stdlib.h>

#include "frame.h"
#include "simd.h"

namespace {

// A tile is cut into blocks of 4 x BLOCK_HEIGHT pixels; a block fills VECTORS vectors.
#ifndef A3D_BLOCK_HEIGHT
#define A3D_BLOCK_HEIGHT 2
#endif
constexpr int BLOCK_HEIGHT = A3D_BLOCK_HEIGHT;
constexpr int BLOCK_PIXELS = 4 * BLOCK_HEIGHT;
constexpr int VECTORS = BLOCK_PIXELS / LANES;
constexpr int BLOCKS = TILE * TILE / BLOCK_PIXELS;
constexpr int BLOCK_VECTORS = BLOCKS / LANES;  // vectors that hold one lane per block
constexpr float LOG2E = 1.4426950408889634f;
static_assert(VECTORS >= 1 && BLOCKS <= 32 && BLOCK_VECTORS >= 1, "block shape");

// Everything between a Gaussian's values and its conic that the gradient needs again.
struct Splat {
    VF x, y, depth, inverse_depth, tx, ty;  // camera position; x/z and y/z clamped to the field
    VM inside_x, inside_y;                  // lanes where the clamp did nothing
    VF q[4], inverse_length, scale[3], opacity;
    VF rotation[3][3], axes[3][3], view_axes[2][3], jacobian_view[2][3];
    VF cov_xx, cov_xy, cov_yy, a, b, c, mean_x, mean_y;
};

A3D_INLINE void gather_rows(const Frame* f, int64_t begin, int count, float (*rows)[LANES]) {
    for (int lane = 0; lane < LANES; lane++) {
        const uint32_t index = f->order[begin + (lane < count ? lane : 0)];
        const float* row = f->values + (int64_t)VALUE_WIDTH * index;
        const int64_t soon = begin + lane + 2 * LANES;
        if (soon < f->visible) {
            const float* next = f->values + (int64_t)VALUE_WIDTH * f->order[soon];
            __builtin_prefetch(next), __builtin_prefetch(next + 13);
        }
        for (int k = 0; k < 11; k++) rows[k][lane] = row[k];
    }
}

A3D_INLINE void rotation_matrix(Splat& s) {
    const VF one = set1(1.0f), two = set1(2.0f);
    const VF w = s.q[0], x = s.q[1], y = s.q[2], z = s.q[3];
    s.rotation[0][0] = one - two * (y * y + z * z);
    s.rotation[0][1] = two * (x * y - w * z);
    s.rotation[0][2] = two * (x * z + w * y);
    s.rotation[1][0] = two * (x * y + w * z);
    s.rotation[1][1] = one - two * (x * x + z * z);
    s.rotation[1][2] = two * (y * z - w * x);
    s.rotation[2][0] = two * (x * z - w * y);
    s.rotation[2][1] = two * (y * z + w * x);
    s.rotation[2][2] = one - two * (x * x + y * y);
}

A3D_INLINE void camera_position(const A3dCamera& cam, const float (*rows)[LANES], Splat& s) {
    const VF px = load(rows[0]), py = load(rows[1]), pz = load(rows[2]);
    VF p[3];
    for (int i = 0; i < 3; i++) {
        const float* m = cam.view + 4 * i;
        p[i] = fma(set1(m[0]), px, fma(set1(m[1]), py, fma(set1(m[2]), pz, set1(m[3]))));
    }
    s.x = p[0], s.y = p[1], s.depth = p[2];
    s.inverse_depth = set1(1.0f) / p[2];
    // Kerbl et al. clamp to 1.3 times the half field; off-centre cameras as gsplat does: the margin of
    // 0.3 half fields is added on each side of the picture.
    const float margin_x = cam.field_margin * 0.5f * cam.width / cam.fx;
    const float margin_y = cam.field_margin * 0.5f * cam.height / cam.fy;
    const VF low_x = set1(-cam.cx / cam.fx - margin_x), low_y = set1(-cam.cy / cam.fy - margin_y);
    const VF high_x = set1((cam.width - cam.cx) / cam.fx + margin_x);
    const VF high_y = set1((cam.height - cam.cy) / cam.fy + margin_y);
    const VF ux = s.x * s.inverse_depth, uy = s.y * s.inverse_depth;
    s.inside_x = cmp_ge(cmp_ge(all_lanes(), ux, low_x), high_x, ux);
    s.inside_y = cmp_ge(cmp_ge(all_lanes(), uy, low_y), high_y, uy);
    s.tx = clamp(ux, low_x, high_x), s.ty = clamp(uy, low_y, high_y);
    s.mean_x = fma(set1(cam.fx), ux, set1(cam.cx));
    s.mean_y = fma(set1(cam.fy), uy, set1(cam.cy));
}

A3D_INLINE void screen_shape(const A3dCamera& cam, const float (*rows)[LANES], Splat& s) {
    camera_position(cam, rows, s);
    s.opacity = load(rows[3]);
    for (int k = 0; k < 3; k++) s.scale[k] = load(rows[4 + k]);
    VF length2 = set1(0.0f);
    for (int k = 0; k < 4; k++) s.q[k] = load(rows[7 + k]), length2 = fma(s.q[k], s.q[k], length2);
    s.inverse_length = set1(1.0f) / sqrt(max(length2, set1(1e-24f)));
    for (int k = 0; k < 4; k++) s.q[k] = s.q[k] * s.inverse_length;
    rotation_matrix(s);
    const VF jx = set1(cam.fx) * s.inverse_depth, jy = set1(cam.fy) * s.inverse_depth;
    for (int k = 0; k < 3; k++) {
        const VF depth_axis = set1(cam.view[8 + k]);
        s.jacobian_view[0][k] = jx * fnma(s.tx, depth_axis, set1(cam.view[k]));
        s.jacobian_view[1][k] = jy * fnma(s.ty, depth_axis, set1(cam.view[4 + k]));
    }
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) s.axes[i][k] = s.rotation[i][k] * s.scale[k];
    for (int r = 0; r < 2; r++)
        for (int k = 0; k < 3; k++)
            s.view_axes[r][k] = fma(s.jacobian_view[r][0], s.axes[0][k],
                                    fma(s.jacobian_view[r][1], s.axes[1][k],
                                        s.jacobian_view[r][2] * s.axes[2][k]));
    const VF *u = s.view_axes[0], *v = s.view_axes[1];
    const VF blur = set1(cam.blur);
    const VF uu = fma(u[0], u[0], fma(u[1], u[1], u[2] * u[2]));
    const VF vv = fma(v[0], v[0], fma(v[1], v[1], v[2] * v[2]));
    s.cov_xx = uu + blur, s.cov_yy = vv + blur;
    s.cov_xy = fma(u[0], v[0], fma(u[1], v[1], u[2] * v[2]));
    // |u x v|^2 instead of uu vv - uv^2: no cancellation for thin ellipses.
    const VF c0 = fnma(u[2], v[1], u[1] * v[2]), c1 = fnma(u[0], v[2], u[2] * v[0]);
    const VF c2 = fnma(u[1], v[0], u[0] * v[1]);
    const VF cross2 = fma(c0, c0, fma(c1, c1, c2 * c2));
    const VF determinant = fma(blur, uu + vv + blur, cross2);
    const VF inverse = set1(1.0f) / determinant;
    s.a = s.cov_yy * inverse, s.b = -s.cov_xy * inverse, s.c = s.cov_xx * inverse;
}

// Which blocks of the tile at (left, top) hold a pixel centre inside the ellipse: the least value of
// the quadratic over each block's rectangle of pixel centres lies on the edges nearest its centre.
A3D_INLINE uint32_t touched_blocks(float left, float top, float mean_x, float mean_y, float a,
                                   float b, float c, float limit) {
    alignas(64) static const float lane_x[32] = {0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12,
                                                 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12};
    alignas(64) static const float lane_row[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
                                                   4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7};
    const VF slope_y = set1(-b / c), slope_x = set1(-b / a), zero = set1(0.0f);
    uint32_t blocks = 0;
    for (int i = 0; i < BLOCK_VECTORS; i++) {
        const VF low_x = load(lane_x + i * LANES) + set1(left + 0.5f - mean_x);
        const VF low_y = fma(load(lane_row + i * LANES), set1((float)BLOCK_HEIGHT),
                             set1(top + 0.5f - mean_y));
        const VF high_x = low_x + set1(3.0f), high_y = low_y + set1((float)(BLOCK_HEIGHT - 1));
        const VF edge_x = clamp(zero, low_x, high_x), edge_y = clamp(zero, low_y, high_y);
        const VF on_x = clamp(slope_y * edge_x, low_y, high_y);
        const VF on_y = clamp(slope_x * edge_y, low_x, high_x);
        const VF va = set1(a), vb2 = set1(2.0f * b), vc = set1(c);
        const VF q1 = fma(fma(va, edge_x, vb2 * on_x), edge_x, vc * on_x * on_x);
        const VF q2 = fma(fma(va, on_y, vb2 * edge_y), on_y, vc * edge_y * edge_y);
        blocks |= (uint32_t)bits(cmp_ge(all_lanes(), set1(limit), min(q1, q2))) << (i * LANES);
    }
    return blocks;
}

A3D_INLINE int tile_of(float pixel, int count) {
    const float tile = pixel * (1.0f / TILE);
    if (!(tile > -1.0f)) return -1;
    return tile >= (float)count ? count : (int)(tile + 1.0f) - 1;
}

A3D_INLINE void write_record(const Frame* f, int64_t rank, const float (*head)[LANES], int lane) {
    float* record = f->records + rank * f->record_stride;
    for (int k = 0; k < RECORD_HEAD; k++) record[k] = head[k][lane];
    const float* from = f->features + (int64_t)f->order[rank] * f->feature_stride;
    int k = 0;
    for (; k < f->channels; k++) record[RECORD_HEAD + k] = from[k];
    for (; k < f->padded; k++) record[RECORD_HEAD + k] = 0.0f;
}

bool reserve(Chunk* chunk, uint32_t more) {
    if (chunk->count + more <= chunk->capacity) return true;
    const uint32_t capacity = (chunk->count + more) * 2 + 1024;
    void* grown = realloc(chunk->items, sizeof(Candidate) * (size_t)capacity);
    if (!grown) return false;
    chunk->items = (Candidate*)grown, chunk->capacity = capacity;
    return true;
}

bool project(Frame* f, Chunk* chunk) {
    const A3dCamera& cam = f->camera;
    alignas(64) float rows[11][LANES], head[RECORD_HEAD][LANES] = {};
    alignas(64) float a[LANES], b[LANES], c[LANES], limit[LANES], reach_x[LANES], reach_y[LANES];
    chunk->count = 0;
    for (int64_t begin = chunk->begin; begin < chunk->end; begin += LANES) {
        const int count = chunk->end - begin < LANES ? (int)(chunk->end - begin) : LANES;
        gather_rows(f, begin, count, rows);
        Splat s;
        screen_shape(cam, rows, s);
        const VF log_opacity = log2_of(max(s.opacity, set1(1e-30f)));
        // alpha >= cut inside the ellipse where the quadratic is below 2 ln(opacity / cut).
        const VF cut = set1((float)-__builtin_log2((double)cam.alpha_cut));
        const VF reach2 = (log_opacity + cut) * set1(2.0f / LOG2E);
        const VF padded = fma(reach2, set1(1.00002f), set1(2e-4f));
        store(a, s.a), store(b, s.b), store(c, s.c), store(limit, padded);
        store(reach_x, sqrt(max(padded, set1(0.0f)) * s.cov_xx));
        store(reach_y, sqrt(max(padded, set1(0.0f)) * s.cov_yy));
        store(head[0], s.mean_x), store(head[1], s.mean_y);
        store(head[2], s.a * set1(0.5f * LOG2E)), store(head[3], s.b * set1(LOG2E));
        store(head[4], s.c * set1(0.5f * LOG2E)), store(head[5], log_opacity);
        store(head[6], s.depth);
        for (int lane = 0; lane < count; lane++) {
            const int64_t rank = begin + lane;
            f->first[rank] = f->last[rank] = chunk->count;
            // A comparison with NaN is false: such a Gaussian is not drawn.
            if (!(limit[lane] > 0.0f && reach_x[lane] < 1e9f && reach_y[lane] < 1e9f)) continue;
            const float mx = head[0][lane], my = head[1][lane];
            int x0 = tile_of(mx - reach_x[lane] - 0.5f, f->tiles_x);
            int x1 = tile_of(mx + reach_x[lane] - 0.5f, f->tiles_x);
            int y0 = tile_of(my - reach_y[lane] - 0.5f, f->tiles_y);
            int y1 = tile_of(my + reach_y[lane] - 0.5f, f->tiles_y);
            x0 = x0 < 0 ? 0 : x0, y0 = y0 < 0 ? 0 : y0;
            x1 = x1 < f->tiles_x ? x1 : f->tiles_x - 1, y1 = y1 < f->tiles_y ? y1 : f->tiles_y - 1;
            if (x1 < x0 || y1 < y0) continue;
            if (!reserve(chunk, (uint32_t)((x1 - x0 + 1) * (y1 - y0 + 1)))) return false;
            for (int y = y0; y <= y1; y++)
                for (int x = x0; x <= x1; x++) {
                    const uint32_t blocks = touched_blocks((float)(x * TILE), (float)(y * TILE), mx,
                                                           my, a[lane], b[lane], c[lane], limit[lane]);
                    chunk->items[chunk->count] = {(uint32_t)(y * f->tiles_x + x), blocks};
                    chunk->count += blocks != 0;
                }
            f->last[rank] = chunk->count;
            if (f->last[rank] != f->first[rank]) write_record(f, rank, head, lane);
        }
    }
    return true;
}

// Sum one Gaussian's slots, in slot order: the same sum whichever thread wrote them. Its features'
// gradient goes out, its moments into `moments`. False when nothing was written.
A3D_INLINE bool sum_slots(const Frame* f, const Chunk* chunk, int64_t rank, int lane,
                          float (*moments)[LANES]) {
    alignas(64) float sums[16];
    float* to = f->gradient_features + (int64_t)f->order[rank] * f->gradient_feature_stride;
    bool found = false;
    for (int part = 0; part < f->slot_stride; part += 16) {
        VF total[16 / LANES];
        for (int v = 0; v < 16 / LANES; v++) total[v] = set1(0.0f);
        for (uint32_t slot = f->first[rank]; slot < f->last[rank]; slot++) {
            if (!f->written[chunk->base + slot]) continue;
            const float* from = f->slots + (int64_t)(chunk->base + slot) * f->slot_stride + part;
            for (int v = 0; v < 16 / LANES; v++) total[v] = total[v] + load(from + v * LANES);
            found = true;
        }
        for (int v = 0; v < 16 / LANES; v++) store(sums + v * LANES, total[v]);
        for (int k = 0; k < SLOT_HEAD && !part; k++) moments[k][lane] = sums[k];
        if (!found) return false;
        const int shift = part - SLOT_HEAD;
        const int end = f->channels - shift < 16 ? f->channels - shift : 16;
        for (int k = part ? 0 : SLOT_HEAD; k < end; k++) to[shift + k] = sums[k];
    }
    return found;
}

// From dL/dR to the quaternion before normalisation.
A3D_INLINE void rotation_gradient(const Splat& s, const VF g[3][3], VF* out) {
    const VF w = s.q[0], x = s.q[1], y = s.q[2], z = s.q[3], two = set1(2.0f);
    VF d[4];
    d[0] = two * (x * (g[2][1] - g[1][2]) + y * (g[0][2] - g[2][0]) + z * (g[1][0] - g[0][1]));
    d[1] = two * (y * (g[0][1] + g[1][0]) + z * (g[0][2] + g[2][0]) + w * (g[2][1] - g[1][2]) -
                  two * x * (g[1][1] + g[2][2]));
    d[2] = two * (x * (g[0][1] + g[1][0]) + z * (g[1][2] + g[2][1]) + w * (g[0][2] - g[2][0]) -
                  two * y * (g[0][0] + g[2][2]));
    d[3] = two * (x * (g[0][2] + g[2][0]) + y * (g[1][2] + g[2][1]) + w * (g[1][0] - g[0][1]) -
                  two * z * (g[0][0] + g[1][1]));
    VF along = set1(0.0f);
    for (int k = 0; k < 4; k++) along = fma(s.q[k], d[k], along);
    for (int k = 0; k < 4; k++) out[k] = fnma(s.q[k], along, d[k]) * s.inverse_length;
}

// The chain from dL/d(mean, conic, depth) to the eleven geometric values.
A3D_INLINE void geometry_gradient(const A3dCamera& cam, const Splat& s, VF mean_x, VF mean_y, VF ga,
                                  VF gb, VF gc, VF gz, VF* out) {
    const VF half = set1(0.5f), two = set1(2.0f), zero = set1(0.0f);
    // dL/dCov = -K G K with K the conic and G = [[ga, gb/2], [gb/2, gc]].
    const VF h = half * gb;
    const VF m00 = s.a * ga + s.b * h, m01 = s.a * h + s.b * gc;
    const VF m10 = s.b * ga + s.c * h, m11 = s.b * h + s.c * gc;
    const VF v00 = -(m00 * s.a + m01 * s.b), v01 = -(m00 * s.b + m01 * s.c);
    const VF v11 = -(m10 * s.b + m11 * s.c);
    VF g_axes[3][3], g_jv[2][3], g_rotation[3][3];
    VF g_view[2][3];
    for (int k = 0; k < 3; k++) {
        g_view[0][k] = two * (v00 * s.view_axes[0][k] + v01 * s.view_axes[1][k]);
        g_view[1][k] = two * (v01 * s.view_axes[0][k] + v11 * s.view_axes[1][k]);
    }
    for (int i = 0; i < 3; i++) {
        for (int r = 0; r < 2; r++)
            g_jv[r][i] = g_view[r][0] * s.axes[i][0] + g_view[r][1] * s.axes[i][1] +
                         g_view[r][2] * s.axes[i][2];
        for (int k = 0; k < 3; k++) {
            g_axes[i][k] = s.jacobian_view[0][i] * g_view[0][k] +
                           s.jacobian_view[1][i] * g_view[1][k];
            g_rotation[i][k] = g_axes[i][k] * s.scale[k];
        }
    }
    for (int k = 0; k < 3; k++)
        out[4 + k] = g_axes[0][k] * s.rotation[0][k] + g_axes[1][k] * s.rotation[1][k] +
                     g_axes[2][k] * s.rotation[2][k];
    rotation_gradient(s, g_rotation, out + 7);
    // jacobian_view[0] = fx/z (view row 0 - tx view row 2), and so for y.
    VF along_x = zero, along_y = zero, gtx = zero, gty = zero;
    const VF jx = set1(cam.fx) * s.inverse_depth, jy = set1(cam.fy) * s.inverse_depth;
    for (int k = 0; k < 3; k++) {
        along_x = fma(g_jv[0][k], s.jacobian_view[0][k], along_x);
        along_y = fma(g_jv[1][k], s.jacobian_view[1][k], along_y);
        gtx = fnma(g_jv[0][k], jx * set1(cam.view[8 + k]), gtx);
        gty = fnma(g_jv[1][k], jy * set1(cam.view[8 + k]), gty);
    }
    const VF to_x = fma(mean_x, set1(cam.fx), keep(s.inside_x, gtx));  // dL/d(x/z)
    const VF to_y = fma(mean_y, set1(cam.fy), keep(s.inside_y, gty));
    const VF ux = s.x * s.inverse_depth, uy = s.y * s.inverse_depth;
    const VF px = to_x * s.inverse_depth, py = to_y * s.inverse_depth;
    const VF pz = gz - (along_x + along_y) * s.inverse_depth - px * ux - py * uy;
    for (int k = 0; k < 3; k++)
        out[k] = set1(cam.view[k]) * px + set1(cam.view[4 + k]) * py + set1(cam.view[8 + k]) * pz;
}

void project_backward(Frame* f, const Chunk* chunk) {
    alignas(64) float rows[11][LANES], moments[SLOT_HEAD][LANES], result[11][LANES];
    for (int64_t begin = chunk->begin; begin < chunk->end; begin += LANES) {
        const int count = chunk->end - begin < LANES ? (int)(chunk->end - begin) : LANES;
        bool found = false;
        for (int lane = 0; lane < LANES; lane++) {
            for (int k = 0; k < SLOT_HEAD; k++) moments[k][lane] = 0.0f;
            if (lane < count) found |= sum_slots(f, chunk, begin + lane, lane, moments);
        }
        if (!found) continue;
        gather_rows(f, begin, count, rows);
        Splat s;
        screen_shape(f->camera, rows, s);
        const VF m0 = load(moments[0]), mx = load(moments[1]), my = load(moments[2]);
        const VF half = set1(-0.5f);
        VF out[11];
        geometry_gradient(f->camera, s, s.a * mx + s.b * my, s.b * mx + s.c * my,
                          half * load(moments[3]), -load(moments[4]), half * load(moments[5]),
                          load(moments[6]), out);
        out[3] = m0 / s.opacity;
        for (int k = 0; k < 11; k++) store(result[k], out[k]);
        for (int lane = 0; lane < count; lane++) {
            if (f->last[begin + lane] == f->first[begin + lane]) continue;
            float* to = f->gradient_values + (int64_t)VALUE_WIDTH * f->order[begin + lane];
            for (int k = 0; k < 11; k++) to[k] = result[k][lane];
        }
    }
}

}  // namespace
