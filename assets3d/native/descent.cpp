// Gradient descent on Gaussians, all that is not drawing: what a picture's loss wants changed, and one
// Adam step on the raw values (logit opacity, log scales), each in one pass over memory. Every element
// is computed by one thread, so the number of threads has no influence on the bytes.
#include <math.h>
#include <stdint.h>

#include <algorithm>

#include "api.h"
#include "pool.h"

constexpr int WIDTH = 14;  // position 0-2, opacity 3, scale 4-6, quaternion 7-10, colour 11-13

extern "C" struct A3dDescent {
    float rates[WIDTH];      // step sizes of this step
    float mean_rate, square_rate;
    float epsilon;           // added to the root of the mean square
    float anchor;            // gradient per world unit that a splat is away from where it began
    float clear;             // weight of opacity (1 - opacity), a splat's share
    float low, high;         // limits of log scales
};

namespace {

constexpr int64_t CHUNK = 1024;

int64_t chunks(int64_t count) { return (count + CHUNK - 1) / CHUNK; }

float sign(float x) { return float(x > 0.0f) - float(x < 0.0f); }

void activate(const float* raw, float* values) {
    for (int k = 0; k < 3; k++) values[k] = raw[k];
    values[3] = 1.0f / (1.0f + expf(-raw[3]));
    for (int k = 4; k < 7; k++) values[k] = expf(raw[k]);
    const float* q = raw + 7;
    const float length = sqrtf(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    for (int k = 0; k < 4; k++) values[7 + k] = q[k] / std::max(length, 1e-12f);
    for (int k = 11; k < WIDTH; k++) values[k] = raw[k];
}

// Turn the gradient to `values` into that to `raw`.
void through_activation(const float* raw, const float* values, float* gradient) {
    gradient[3] *= values[3] * (1.0f - values[3]);
    for (int k = 4; k < 7; k++) gradient[k] *= values[k];
    const float *q = values + 7, *r = raw + 7;
    float* g = gradient + 7;
    const float along = q[0] * g[0] + q[1] * g[1] + q[2] * g[2] + q[3] * g[3];
    const float length = sqrtf(r[0] * r[0] + r[1] * r[1] + r[2] * r[2] + r[3] * r[3]);
    for (int k = 0; k < 4; k++) g[k] = (g[k] - q[k] * along) / std::max(length, 1e-12f);
}

}  // namespace

// Post-activation values (N, 14) of raw ones.
A3D_API void a3d_activate(const float* raw, int64_t count, float* values, int threads) {
    parallel_for(chunks(count), threads, [=](int64_t chunk) {
        const int64_t end = std::min(count, (chunk + 1) * CHUNK);
        for (int64_t i = chunk * CHUNK; i < end; i++) activate(raw + WIDTH * i, values + WIDTH * i);
    });
}

// Gradient, to a drawing's premultiplied features (P, 3) and alpha (P), of the mean absolute difference
// from a straight picture `target` (P, 4) on a background, plus alpha_weight times that of alpha.
A3D_API void a3d_picture_gradient(const float* features, const float* alpha, const float* target,
                                  int64_t pixels, const float* background, float alpha_weight,
                                  float* to_features, float* to_alpha, int threads) {
    const float per_colour = 1.0f / (3.0f * pixels), per_alpha = alpha_weight / pixels;
    parallel_for(chunks(pixels), threads, [=](int64_t chunk) {
        const int64_t end = std::min(pixels, (chunk + 1) * CHUNK);
        for (int64_t i = chunk * CHUNK; i < end; i++) {
            const float *wanted = target + 4 * i, missing = alpha[i] - wanted[3];
            float sum = per_alpha * sign(missing);
            for (int k = 0; k < 3; k++) {
                const float difference = features[3 * i + k] - wanted[k] * wanted[3];
                const float g = per_colour * sign(difference - missing * background[k]);
                to_features[3 * i + k] = g;
                sum -= g * background[k];
            }
            to_alpha[i] = sum;
        }
    });
}

// One Adam step on `raw` (N, 14), whose post-activation `values` are renewed. `gradient` is to values;
// it is overwritten. `fixed_colour` (N) marks splats whose colour stays, or is null.
A3D_API void a3d_descend(float* raw, float* values, float* gradient, const float* anchor,
                         const uint8_t* fixed_colour, float* mean, float* square, int64_t count,
                         const A3dDescent* step, int threads) {
    const A3dDescent s = *step;
    parallel_for(chunks(count), threads, [=](int64_t chunk) {
        const int64_t end = std::min(count, (chunk + 1) * CHUNK);
        for (int64_t i = chunk * CHUNK; i < end; i++) {
            float *x = raw + WIDTH * i, *v = values + WIDTH * i, *g = gradient + WIDTH * i;
            for (int k = 0; k < 3; k++) g[k] += s.anchor * (v[k] - anchor[3 * i + k]);
            g[3] += s.clear * (1.0f - 2.0f * v[3]);
            through_activation(x, v, g);
            if (fixed_colour && fixed_colour[i])
                for (int k = 11; k < WIDTH; k++) g[k] = 0.0f;
            float *m = mean + WIDTH * i, *q = square + WIDTH * i;
            for (int k = 0; k < WIDTH; k++) {
                m[k] += s.mean_rate * (g[k] - m[k]);
                q[k] += s.square_rate * (g[k] * g[k] - q[k]);
                x[k] -= s.rates[k] * m[k] / (sqrtf(q[k]) + s.epsilon);
            }
            for (int k = 4; k < 7; k++) x[k] = std::min(std::max(x[k], s.low), s.high);
            for (int k = 11; k < WIDTH; k++) x[k] = std::min(std::max(x[k], 0.0f), 1.0f);
            activate(x, v);
        }
    });
}
