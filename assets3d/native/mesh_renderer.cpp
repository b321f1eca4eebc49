// A z-buffer triangle renderer for previews and checks: pictures in tiles, samples on a regular grid
// in each pixel, attributes interpolated with perspective, shading once per visible sample.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <algorithm>
#include <new>
#include <vector>

#include "api.h"
#include "pool.h"

extern "C" struct A3dMeshScene {
    const float* vertices;       // (N, 3)
    const int32_t* faces;        // (F, 3)
    const float* normals;        // (N, 3) or null: the face's own
    const float* colours;        // (N, 3) 0..1 or null
    const float* uvs;            // (N, 2) or null
    const uint8_t* texture;      // (texture_height, texture_width, 3) or null
    int32_t vertex_count, face_count, texture_width, texture_height;
    float view[12];              // rows of the 3x4 world-to-camera matrix, OpenCV axes
    float fx, fy, cx, cy;
    int32_t width, height, supersample, lit;
    float near_plane, background[3];
    int32_t has_background;
};

extern "C" struct A3dMeshPicture {
    uint8_t* rgba;               // (H, W, 4)
    float* depth;                // (H, W), 0 = nothing
    float* normal;               // (H, W, 3) world
    int32_t* face;               // (H, W), -1 = nothing
};

namespace {

constexpr int TILE = 16;
constexpr float AMBIENT = 0.42f, KEY = 0.58f, FILL = 0.22f;
// Directions towards the lights in the camera's frame (x right, y down, z forward).
constexpr float KEY_LIGHT[3] = {-0.43f, -0.59f, -0.68f}, FILL_LIGHT[3] = {0.77f, -0.13f, -0.62f};

struct Corner {
    double x, y;                 // sample coordinates: pixels times supersample
    float depth;
};

struct Triangle {                // edge functions and 1/depth as planes over the picture
    double edge[3][3];           // barycentric i = edge[i][0] x + edge[i][1] y + edge[i][2]
    float inverse_depth[3];
    bool usable;
};

struct Colour {
    float r, g, b;
};

struct Tables {                  // sRGB both ways
    float linear[256], encoded[4097];
    Tables() {
        for (int i = 0; i < 256; i++) linear[i] = decode((float)i / 255.0f);
        for (int i = 0; i <= 4096; i++) {
            const float v = (float)i / 4096.0f;
            encoded[i] = v <= 0.0031308f ? 12.92f * v : 1.055f * powf(v, 1.0f / 2.4f) - 0.055f;
        }
    }
    static float decode(float v) {
        return v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
    }
    float encode(float v) const {
        const float at = std::min(std::max(v, 0.0f), 1.0f) * 4096.0f;
        const int i = std::min((int)at, 4095);
        return encoded[i] + (at - (float)i) * (encoded[i + 1] - encoded[i]);
    }
};

const Tables& tables() {
    static const Tables shared;
    return shared;
}

void project_vertices(const A3dMeshScene& s, Corner* corners) {
    for (int i = 0; i < s.vertex_count; i++) {
        const float* v = s.vertices + 3 * (int64_t)i;
        double p[3];
        for (int r = 0; r < 3; r++) {
            const float* m = s.view + 4 * r;
            p[r] = (double)m[0] * v[0] + (double)m[1] * v[1] + (double)m[2] * v[2] + m[3];
        }
        const double inverse = p[2] > s.near_plane ? 1.0 / p[2] : 0.0;
        corners[i] = {(s.fx * p[0] * inverse + s.cx) * s.supersample,
                      (s.fy * p[1] * inverse + s.cy) * s.supersample,
                      p[2] > s.near_plane ? (float)p[2] : 0.0f};
    }
}

Triangle set_up(const int32_t* face, const Corner* corners) {
    Triangle t;
    const Corner* c[3] = {corners + face[0], corners + face[1], corners + face[2]};
    const double area = (c[1]->x - c[0]->x) * (c[2]->y - c[0]->y) -
                        (c[1]->y - c[0]->y) * (c[2]->x - c[0]->x);
    // A corner behind the near plane has depth 0; such triangles are left out whole.
    t.usable = c[0]->depth > 0 && c[1]->depth > 0 && c[2]->depth > 0 && fabs(area) > 1e-12 &&
               std::isfinite(area);
    if (!t.usable) return t;
    for (int i = 0; i < 3; i++) {
        const Corner &p = *c[(i + 1) % 3], &q = *c[(i + 2) % 3];
        t.edge[i][0] = (p.y - q.y) / area;
        t.edge[i][1] = (q.x - p.x) / area;
        t.edge[i][2] = (p.x * q.y - q.x * p.y) / area;
        t.inverse_depth[i] = 1.0f / c[i]->depth;
    }
    return t;
}

struct Box {
    int x0, x1, y0, y1;          // inclusive, in samples
};

Box bounds(const A3dMeshScene& s, const int32_t* face, const Corner* corners) {
    const Corner &a = corners[face[0]], &b = corners[face[1]], &c = corners[face[2]];
    const double wide = (double)s.width * s.supersample - 1, high = (double)s.height * s.supersample - 1;
    const double x0 = std::min({a.x, b.x, c.x}) - 0.5, x1 = std::max({a.x, b.x, c.x}) - 0.5;
    const double y0 = std::min({a.y, b.y, c.y}) - 0.5, y1 = std::max({a.y, b.y, c.y}) - 0.5;
    if (!(x1 >= 0 && y1 >= 0 && x0 <= wide && y0 <= high)) return {0, -1, 0, -1};
    return {(int)ceil(std::max(x0, 0.0)), (int)floor(std::min(x1, wide)),
            (int)ceil(std::max(y0, 0.0)), (int)floor(std::min(y1, high))};
}

// One tile's samples: nearest face and the inverse of its depth.
struct Samples {
    int left, top, side;
    std::vector<float> nearest;
    std::vector<int32_t> face;
};

void draw_triangle(const Triangle& t, const Box& box, int32_t id, Samples& into) {
    const int x0 = std::max(box.x0, into.left), x1 = std::min(box.x1, into.left + into.side - 1);
    const int y0 = std::max(box.y0, into.top), y1 = std::min(box.y1, into.top + into.side - 1);
    double slope[2] = {0.0, 0.0}, base = 0.0;
    for (int i = 0; i < 3; i++) {
        slope[0] += t.edge[i][0] * t.inverse_depth[i], slope[1] += t.edge[i][1] * t.inverse_depth[i];
        base += t.edge[i][2] * t.inverse_depth[i];
    }
    for (int y = y0; y <= y1; y++) {
        const double py = y + 0.5;
        double row[3];
        for (int i = 0; i < 3; i++) row[i] = t.edge[i][1] * py + t.edge[i][2];
        const double depth_row = slope[1] * py + base;
        const int64_t at = (int64_t)(y - into.top) * into.side - into.left;
        for (int x = x0; x <= x1; x++) {
            const double px = x + 0.5;
            const double b0 = t.edge[0][0] * px + row[0], b1 = t.edge[1][0] * px + row[1];
            const double b2 = t.edge[2][0] * px + row[2];
            if (std::min(b0, std::min(b1, b2)) < 0.0) continue;
            const float inverse = (float)(slope[0] * px + depth_row);
            if (inverse > into.nearest[at + x]) into.nearest[at + x] = inverse, into.face[at + x] = id;
        }
    }
}

// Perspective-correct weights of a face's corners at a sample.
void weights_at(const Triangle& t, double px, double py, float* w) {
    double sum = 0.0, raw[3];
    for (int i = 0; i < 3; i++) {
        raw[i] = (t.edge[i][0] * px + t.edge[i][1] * py + t.edge[i][2]) * t.inverse_depth[i];
        sum += raw[i];
    }
    for (int i = 0; i < 3; i++) w[i] = (float)(raw[i] / sum);
}

void normal_at(const A3dMeshScene& s, const int32_t* face, const float* w, float* n) {
    if (s.normals) {
        for (int k = 0; k < 3; k++) {
            n[k] = 0.0f;
            for (int i = 0; i < 3; i++) n[k] += w[i] * s.normals[3 * (int64_t)face[i] + k];
        }
    } else {
        const float* p[3];
        for (int i = 0; i < 3; i++) p[i] = s.vertices + 3 * (int64_t)face[i];
        float a[3], b[3];
        for (int k = 0; k < 3; k++) a[k] = p[1][k] - p[0][k], b[k] = p[2][k] - p[0][k];
        for (int k = 0; k < 3; k++)
            n[k] = a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3];
    }
    const float length = sqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (int k = 0; k < 3; k++) n[k] = length > 0 ? n[k] / length : 0.0f;
}

// Bilinear, repeating as glTF's default sampler does; uv (0, 0) is the lower left corner.
Colour texel(const A3dMeshScene& s, float u, float v) {
    const float x = u * (float)s.texture_width - 0.5f, y = (1.0f - v) * (float)s.texture_height - 0.5f;
    if (!(fabsf(x) < 1e8f && fabsf(y) < 1e8f)) return {0, 0, 0};
    const float fx = floorf(x), fy = floorf(y);
    float sum[3] = {0, 0, 0};
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            const int tx = (((int)fx + i) % s.texture_width + s.texture_width) % s.texture_width;
            const int ty = (((int)fy + j) % s.texture_height + s.texture_height) % s.texture_height;
            const float weight = (i ? x - fx : 1 - (x - fx)) * (j ? y - fy : 1 - (y - fy));
            const uint8_t* at = s.texture + 3 * ((int64_t)ty * s.texture_width + tx);
            for (int k = 0; k < 3; k++) sum[k] += weight * (float)at[k];
        }
    return {sum[0] / 255.0f, sum[1] / 255.0f, sum[2] / 255.0f};
}

Colour colour_at(const A3dMeshScene& s, const int32_t* face, const float* w) {
    if (s.texture && s.uvs) {
        float uv[2] = {0, 0};
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 2; k++) uv[k] += w[i] * s.uvs[2 * (int64_t)face[i] + k];
        return texel(s, uv[0], uv[1]);
    }
    if (!s.colours) return {0.8f, 0.8f, 0.8f};
    float sum[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) sum[k] += w[i] * s.colours[3 * (int64_t)face[i] + k];
    return {sum[0], sum[1], sum[2]};
}

// Lambert under a key and a fill light that travel with the camera; both sides of a face are lit.
Colour lit(const A3dMeshScene& s, Colour colour, const float* n, const float* ray) {
    float local[3], facing = 0.0f;
    for (int r = 0; r < 3; r++) {
        local[r] = s.view[4 * r] * n[0] + s.view[4 * r + 1] * n[1] + s.view[4 * r + 2] * n[2];
        facing += local[r] * ray[r];
    }
    float key = 0.0f, fill = 0.0f;
    for (int r = 0; r < 3; r++) {
        const float towards = facing > 0 ? -local[r] : local[r];
        key += towards * KEY_LIGHT[r], fill += towards * FILL_LIGHT[r];
    }
    const float light = AMBIENT + KEY * std::max(key, 0.0f) + FILL * std::max(fill, 0.0f);
    const Tables& t = tables();
    const float in[3] = {colour.r, colour.g, colour.b};
    float out[3];
    for (int k = 0; k < 3; k++) out[k] = t.encode(light * Tables::decode(std::max(in[k], 0.0f)));
    return {out[0], out[1], out[2]};
}

void shade_pixel(const A3dMeshScene& s, const Samples& samples, const Corner* corners, int x, int y,
                 const A3dMeshPicture& out) {
    const int n = s.supersample;
    const int64_t pixel = (int64_t)y * s.width + x;
    float sum[3] = {0, 0, 0}, best = 0.0f, best_normal[3] = {0, 0, 0};
    int covered = 0, best_face = -1;
    for (int sy = y * n; sy < (y + 1) * n; sy++)
        for (int sx = x * n; sx < (x + 1) * n; sx++) {
            const int64_t at = (int64_t)(sy - samples.top) * samples.side + sx - samples.left;
            const int32_t id = samples.face[at];
            if (id < 0) continue;
            const int32_t* face = s.faces + 3 * (int64_t)id;
            float w[3], normal[3];
            weights_at(set_up(face, corners), sx + 0.5, sy + 0.5, w);
            normal_at(s, face, w, normal);
            Colour colour = colour_at(s, face, w);
            if (s.lit) {
                const float ray[3] = {((sx + 0.5f) / n - s.cx) / s.fx, ((sy + 0.5f) / n - s.cy) / s.fy,
                                      1.0f};
                colour = lit(s, colour, normal, ray);
            }
            sum[0] += colour.r, sum[1] += colour.g, sum[2] += colour.b, covered++;
            if (samples.nearest[at] > best) {
                best = samples.nearest[at], best_face = id;
                for (int k = 0; k < 3; k++) best_normal[k] = normal[k];
            }
        }
    const float share = (float)covered / (float)(n * n);
    for (int k = 0; k < 3; k++) {
        float v = covered ? sum[k] / (float)covered : 0.0f;
        if (s.has_background) v = v * share + s.background[k] * (1.0f - share);
        out.rgba[4 * pixel + k] = (uint8_t)(std::min(std::max(v, 0.0f), 1.0f) * 255.0f + 0.5f);
        out.normal[3 * pixel + k] = best_normal[k];
    }
    out.rgba[4 * pixel + 3] = s.has_background ? 255 : (uint8_t)(share * 255.0f + 0.5f);
    out.depth[pixel] = best_face < 0 ? 0.0f : 1.0f / best;
    out.face[pixel] = best_face;
}

void render(const A3dMeshScene& s, const A3dMeshPicture& out, int threads) {
    const int side = TILE * s.supersample;
    const int tiles_x = (s.width + TILE - 1) / TILE, tiles_y = (s.height + TILE - 1) / TILE;
    std::vector<Corner> corners(s.vertex_count);
    project_vertices(s, corners.data());
    std::vector<std::vector<int32_t>> bins((size_t)tiles_x * tiles_y);
    for (int i = 0; i < s.face_count; i++) {
        const int32_t* face = s.faces + 3 * (int64_t)i;
        if (!(corners[face[0]].depth > 0 && corners[face[1]].depth > 0 && corners[face[2]].depth > 0))
            continue;
        const Box box = bounds(s, face, corners.data());
        if (box.x1 < box.x0 || box.y1 < box.y0) continue;
        for (int ty = box.y0 / side; ty <= box.y1 / side; ty++)
            for (int tx = box.x0 / side; tx <= box.x1 / side; tx++)
                bins[(size_t)ty * tiles_x + tx].push_back(i);
    }
    parallel_for((int64_t)tiles_x * tiles_y, threads, [&](int64_t tile) {
        Samples samples{(int)(tile % tiles_x) * side, (int)(tile / tiles_x) * side, side, {}, {}};
        samples.nearest.assign((size_t)side * side, 0.0f);
        samples.face.assign((size_t)side * side, -1);
        for (int32_t id : bins[tile]) {
            const int32_t* face = s.faces + 3 * (int64_t)id;
            const Triangle t = set_up(face, corners.data());
            if (t.usable) draw_triangle(t, bounds(s, face, corners.data()), id, samples);
        }
        const int x0 = (int)(tile % tiles_x) * TILE, y0 = (int)(tile / tiles_x) * TILE;
        for (int y = y0; y < std::min(y0 + TILE, s.height); y++)
            for (int x = x0; x < std::min(x0 + TILE, s.width); x++)
                shade_pixel(s, samples, corners.data(), x, y, out);
    });
}

}  // namespace

// Draw one picture; 0 when memory runs out. Face indices must be in range.
A3D_API int a3d_render_mesh(const A3dMeshScene* scene, const A3dMeshPicture* picture, int threads) {
    try {
        render(*scene, *picture, threads);
        return 1;
    } catch (const std::bad_alloc&) {
        return 0;
    }
}
