// Inner loops of the mesh step: distances of voxels to depth pictures, texels of a texture atlas, and
// pictures laid onto texels. Each output element is computed by one thread from start to end in a fixed
// order, so the number of threads has no influence on the bytes.
#include <math.h>
#include <stdint.h>

#include <algorithm>
#include <vector>

#include "api.h"
#include "pool.h"

extern "C" struct A3dPicture {
    float view[12];              // rows of the 3x4 world-to-camera matrix, OpenCV axes
    float fx, fy, cx, cy;
    int32_t width, height;
    const float* layers;         // (H, W, C)
};

namespace {

constexpr int64_t CHUNK = 8192;

struct Spot {                    // where a point falls in a picture
    float u, v, depth;           // pixels and world units
    bool inside;
    int nearest;
    int index[4];                // the four pixels round it, after `surround`
    float share[4];
};

inline Spot locate(const A3dPicture& p, const float* x) {
    Spot s;
    const float* m = p.view;
    const float cx = m[0] * x[0] + m[1] * x[1] + m[2] * x[2] + m[3];
    const float cy = m[4] * x[0] + m[5] * x[1] + m[6] * x[2] + m[7];
    s.depth = m[8] * x[0] + m[9] * x[1] + m[10] * x[2] + m[11];
    const float inverse = 1.0f / std::max(s.depth, 1e-6f);
    s.u = p.fx * cx * inverse + p.cx, s.v = p.fy * cy * inverse + p.cy;
    s.inside = s.depth > 1e-6f && s.u >= 0 && s.v >= 0 && s.u < p.width && s.v < p.height;
    s.nearest = s.inside ? int(s.v) * p.width + int(s.u) : 0;
    return s;
}

inline void surround(const A3dPicture& p, Spot& s) {
    const int xa = int(s.u + 0.5f) - 1, ya = int(s.v + 0.5f) - 1;  // floor without libm
    const float wx = s.u - 0.5f - xa, wy = s.v - 0.5f - ya;
    const int x0 = std::max(xa, 0), y0 = std::max(ya, 0);
    const int x1 = std::min(xa + 1, p.width - 1), y1 = std::min(ya + 1, p.height - 1);
    s.index[0] = y0 * p.width + x0, s.index[1] = y0 * p.width + x1;
    s.index[2] = y1 * p.width + x0, s.index[3] = y1 * p.width + x1;
    s.share[0] = (1 - wx) * (1 - wy), s.share[1] = wx * (1 - wy);
    s.share[2] = (1 - wx) * wy, s.share[3] = wx * wy;
}

inline float blend(const Spot& s, const float* layers, int channels, int c) {
    float sum = 0.0f;
    for (int k = 0; k < 4; k++) sum += s.share[k] * layers[s.index[k] * channels + c];
    return sum;
}

}  // namespace

// Signed distance in voxels of points near a surface (positive outside), and how many cameras see
// through each point. Layers: depth (0 = nothing), confidence, incidence, outside_px.
A3D_API void a3d_integrate(const float* points, int64_t count, const A3dPicture* pictures, int views,
                           float voxel, float band, float step, float* distance, float* votes,
                           int threads) {
    parallel_for((count + CHUNK - 1) / CHUNK, threads, [&](int64_t chunk) {
        const int64_t end = std::min(count, (chunk + 1) * CHUNK);
        for (int64_t i = chunk * CHUNK; i < end; i++) {
            float near = 0, near_weight = 0, deep = 0, deep_weight = 0, free = 0;
            for (int k = 0; k < views; k++) {
                const A3dPicture& p = pictures[k];
                Spot s = locate(p, points + 3 * i);
                if (!s.inside) {                             // every camera has all of the object
                    free += 1;
                    continue;
                }
                const float* nearest = p.layers + 4 * s.nearest;
                // Most points lie hidden behind a surface: one look is enough for those.
                if (nearest[0] > 0.0f && nearest[0] - s.depth < -(band + 2.0f) * voxel &&
                    nearest[3] == 0.0f)
                    continue;
                surround(p, s);
                const float outside = blend(s, p.layers, 4, 3);
                float value, weight;
                if (outside > 0.0f) {
                    // Beyond the silhouette no surface is nearer than this.
                    value = outside * s.depth / (p.fx * voxel);
                    weight = 0.5f;
                    free += outside > 1.0f;
                } else {
                    float low = 1e30f, high = 0.0f;
                    for (int j = 0; j < 4; j++) {
                        const float d = p.layers[4 * s.index[j]];
                        low = std::min(low, d), high = std::max(high, d);
                    }
                    const float incidence = blend(s, p.layers, 4, 2);
                    // Across a step a blend of depths means nothing.
                    if (high - low > step) continue;
                    const float confidence = blend(s, p.layers, 4, 1);
                    const float gap = blend(s, p.layers, 4, 0) - s.depth;
                    free += gap > voxel && confidence > 0.2f;
                    value = gap * incidence / voxel;
                    weight = confidence * incidence;
                }
                // Clipped close to zero the mean is robust: one camera that looks through a gap
                // between splats cannot outvote those that see the surface.
                value = std::min(value, 1.25f);
                if (value > -1.0f) near += value * weight, near_weight += weight;
                else if (value > -band) deep += value * weight, deep_weight += weight;
            }
            // What lies deep behind a surface says little where others see the point itself: the
            // far side of a thin wall.
            const float share =
                std::min(near_weight / (0.5f + 0.25f * deep_weight), 1.0f);
            const float near_mean = near / std::max(near_weight, 1e-6f);
            const float deep_mean = deep_weight > 1e-3f ? deep / deep_weight : -band;
            const float mean = share * near_mean + (1.0f - share) * deep_mean;
            distance[i] = std::min(std::max(mean, -band), band);
            votes[i] = free;
        }
    });
}

// Which face covers each texel of a square atlas. `corners` (F, 3, 2) are texel coordinates from the
// top left. A texel goes to the face that holds its centre, else to the nearest within `reach`.
A3D_API void a3d_cover_texels(const float* corners, int32_t faces, int32_t size, float reach,
                              int32_t* owner, float* weights, int threads) {
    const int bands = std::max(1, std::min(64, size / 16));
    parallel_for(bands, threads, [&](int64_t band) {
        const int top = int(band * size / bands), bottom = int((band + 1) * size / bands);
        std::vector<float> best(size_t(bottom - top) * size, 1e30f);
        for (int32_t f = 0; f < faces; f++) {
            const float* t = corners + 6 * f;
            const float y_low = std::min({t[1], t[3], t[5]}), y_high = std::max({t[1], t[3], t[5]});
            const int y0 = std::max(int(floorf(y_low - reach - 0.5f)), top);
            const int y1 = std::min(int(ceilf(y_high + reach)) + 1, bottom);
            if (y0 >= y1) continue;
            const float x_low = std::min({t[0], t[2], t[4]}), x_high = std::max({t[0], t[2], t[4]});
            const int x0 = std::max(int(floorf(x_low - reach - 0.5f)), 0);
            const int x1 = std::min(int(ceilf(x_high + reach)) + 1, int(size));
            float normal[3][2], constant[3], length[3];
            const float area = (t[2] - t[0]) * (t[5] - t[1]) - (t[3] - t[1]) * (t[4] - t[0]);
            const float sign = area < 0.0f ? -1.0f : 1.0f;   // a face mirrored in the atlas
            for (int e = 0; e < 3; e++) {
                const float* a = t + 2 * e;
                const float* b = t + 2 * ((e + 1) % 3);
                const float dx = b[0] - a[0], dy = b[1] - a[1];
                length[e] = std::max(sqrtf(dx * dx + dy * dy), 1e-9f);
                normal[e][0] = -dy * sign / length[e], normal[e][1] = dx * sign / length[e];
                constant[e] = -(normal[e][0] * a[0] + normal[e][1] * a[1]);
            }
            for (int y = y0; y < y1; y++) {
                for (int x = x0; x < x1; x++) {
                    float inward[3], lowest = 1e30f;
                    for (int e = 0; e < 3; e++) {
                        inward[e] =
                            normal[e][0] * (x + 0.5f) + normal[e][1] * (y + 0.5f) + constant[e];
                        lowest = std::min(lowest, inward[e]);
                    }
                    const float outside = std::max(-lowest, 0.0f);
                    float& record = best[size_t(y - top) * size + x];
                    if (outside > reach || outside >= record) continue;
                    record = outside;
                    const size_t texel = size_t(y) * size + x;
                    owner[texel] = f;
                    float w[3], total = 0.0f;
                    for (int e = 0; e < 3; e++) {            // edge e lies opposite corner e + 2
                        w[(e + 2) % 3] = std::max(inward[e] * length[e], 0.0f);
                        total += w[(e + 2) % 3];
                    }
                    for (int c = 0; c < 3; c++)
                        weights[3 * texel + c] = total > 1e-9f ? w[c] / total : 1.0f / 3.0f;
                }
            }
        }
    });
}

// Add one picture's colour to the points it sees. Layers: the mesh's depth, trust, red, green, blue.
A3D_API void a3d_add_picture(const float* points, const float* normals, const float* face_normals,
                             int64_t count, const A3dPicture* picture, const float* eye,
                             float tolerance, float power, float strength, float* total,
                             float* weight, int threads) {
    const A3dPicture& p = *picture;
    parallel_for((count + CHUNK - 1) / CHUNK, threads, [&](int64_t chunk) {
        const int64_t end = std::min(count, (chunk + 1) * CHUNK);
        for (int64_t i = chunk * CHUNK; i < end; i++) {
            const float* x = points + 3 * i;
            const float dx = eye[0] - x[0], dy = eye[1] - x[1], dz = eye[2] - x[2];
            const float* n = normals + 3 * i;
            const float* g = face_normals + 3 * i;
            const float inverse = 1.0f / std::max(sqrtf(dx * dx + dy * dy + dz * dz), 1e-9f);
            // Smooth normals blend better; a face that truly turns away is not seen whatever they say.
            const float facing = std::min((n[0] * dx + n[1] * dy + n[2] * dz) * inverse,
                                          (g[0] * dx + g[1] * dy + g[2] * dz) * inverse + 0.2f);
            if (facing < 0.15f) continue;
            Spot s = locate(p, x);
            if (!s.inside) continue;
            const float depth = p.layers[5 * s.nearest];
            if (depth <= 0.0f || s.depth - depth > tolerance) continue;
            surround(p, s);
            const float share = strength * blend(s, p.layers, 5, 1) * powf(facing, power);
            for (int c = 0; c < 3; c++) total[3 * i + c] += share * blend(s, p.layers, 5, 2 + c);
            weight[i] += share;
        }
    });
}
