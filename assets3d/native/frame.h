// What one picture's rasterisation knows: shared by the per-instruction-set kernels and the driver.
#pragma once
#include <stdint.h>

constexpr int TILE = 16;           // pixels along a tile's side
constexpr int VALUE_WIDTH = 14;    // position 3, opacity 1, scale 3, rotation 4, rgb 3
constexpr int RECORD_HEAD = 8;     // mean x y, three conic terms, log2 opacity, depth, unused
constexpr int SLOT_HEAD = 7;       // moments 1, x, y, xx, xy, yy, then depth
constexpr int GROUP = 8;           // most feature channels composed in one pass

extern "C" struct A3dCamera {
    float view[12];                // rows of the 3x4 world-to-camera matrix, OpenCV axes
    float fx, fy, cx, cy;
    int32_t width, height;
    float near_plane, max_alpha, alpha_cut, transmittance_stop, blur, field_margin;
};

struct Candidate {                 // a tile that a Gaussian touches, and which blocks of it
    uint32_t tile, blocks;
};

struct Chunk {                     // the candidates of one run of depth ranks, in rank order
    Candidate* items;
    uint32_t count, capacity;
    uint32_t base;                 // slots before this chunk's first
    int64_t begin, end;            // ranks
};

struct Entry {
    uint32_t rank, slot, blocks;
};

struct Frame {
    A3dCamera camera;
    int tiles_x, tiles_y;
    const float* values;
    const float* features;
    int64_t feature_stride;
    int channels;
    int padded;                    // channels rounded up to what the passes read
    const float* background;       // `padded` floats, or null
    const uint32_t* order;         // Gaussian of each depth rank, nearest first
    int64_t visible;               // ranks
    float* records;                // (visible, record_stride)
    int record_stride;
    uint32_t* first;               // per rank: its first slot, counted from its chunk's base
    uint32_t* last;                // per rank: one past its last slot
    const Entry* entries;          // by tile, nearest first
    const uint32_t* tile_start;    // (tiles + 1)
    float *out_features, *out_alpha, *out_depth;
    // Backward only.
    const float *upstream_features, *upstream_alpha, *upstream_depth;  // alpha and depth may be null
    float* slots;                  // (slots, slot_stride)
    uint8_t* written;              // per slot
    int slot_stride;
    float *gradient_values, *gradient_features;
    int64_t gradient_feature_stride;
};

// One instruction set's kernels.
struct KernelTable {
    const char* name;
    bool (*project)(Frame*, Chunk*);  // false: out of memory
    void (*forward_tile)(Frame*, int tile);
    void (*backward_tile)(Frame*, int tile);
    void (*project_backward)(Frame*, const Chunk*);
    int64_t (*count_tile)(Frame*, int tile);
    double (*fma_loop)(int64_t rounds);
};
