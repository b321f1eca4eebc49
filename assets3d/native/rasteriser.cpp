// The C ABI of the Gaussian rasteriser: depth sort, binning into tiles, threads, memory, and the
// choice of instruction set. The arithmetic is in kernel.cpp.
#include <stdlib.h>
#include <string.h>

#include <mutex>

#include "api.h"
#include "cpu.h"
#include "frame.h"
#include "pool.h"

extern "C" {
extern const KernelTable a3d_table_baseline;
#ifdef A3D_X86
extern const KernelTable a3d_table_avx2, a3d_table_avx512;
#endif
}

namespace {

constexpr int CHUNKS = 32;

#ifdef _WIN32
void* aligned(size_t bytes) { return _aligned_malloc(bytes, 64); }
void give_back(void* data) { _aligned_free(data); }
#else
void* aligned(size_t bytes) { return aligned_alloc(64, bytes); }
void give_back(void* data) { free(data); }
#endif

// Memory that grows and is kept from picture to picture: fresh pages cost more than the sort.
template <class T>
struct Buffer {
    T* data = nullptr;
    size_t capacity = 0;
    bool resize(size_t count) {
        if (count <= capacity) return true;
        give_back(data);
        capacity = count + count / 4;
        data = (T*)aligned((capacity * sizeof(T) + 63) / 64 * 64);
        if (!data) capacity = 0;
        return data != nullptr;
    }
    ~Buffer() { give_back(data); }
};

struct Item {
    uint32_t key, index;
};

struct Context {
    Frame frame;
    const KernelTable* table;
    int threads;
    int chunk_count;
    Chunk chunks[CHUNKS] = {};
    Buffer<Item> items, other_items;
    Buffer<uint32_t> order, first, last, tile_start, histogram;
    Buffer<float> records, slots, background;
    Buffer<Entry> entries;
    Buffer<uint8_t> written;
    ~Context() {
        for (Chunk& chunk : chunks) free(chunk.items);
    }
};

constexpr int KEPT = 4;
std::mutex kept_mutex;
Context* kept[KEPT];

Context* take_context() {
    std::lock_guard<std::mutex> lock(kept_mutex);
    for (Context*& slot : kept)
        if (slot) {
            Context* context = slot;
            slot = nullptr;
            return context;
        }
    return new Context;
}

const KernelTable* table_of(int isa) {
#ifdef A3D_X86
    return choose_table(isa, &a3d_table_baseline, &a3d_table_avx2, &a3d_table_avx512);
#else
    return choose_table<KernelTable>(isa, &a3d_table_baseline, nullptr, nullptr);
#endif
}

// Depth keys of what lies before the camera; a positive float's bits sort as the float does.
bool depth_items(Context* c, int64_t count, uint32_t* low, uint32_t* high) {
    if (!c->items.resize(count) || !c->other_items.resize(count)) return false;
    const float* m = c->frame.camera.view + 8;
    const float near_plane = c->frame.camera.near_plane;
    int64_t visible = 0;
    *low = 0xffffffffu, *high = 0;
    for (int64_t i = 0; i < count; i++) {
        const float* p = c->frame.values + VALUE_WIDTH * i;
        const float depth = m[0] * p[0] + m[1] * p[1] + m[2] * p[2] + m[3];
        if (!(depth > near_plane) || !(p[3] >= c->frame.camera.alpha_cut)) continue;
        uint32_t key;
        memcpy(&key, &depth, 4);
        *low = key < *low ? key : *low, *high = key > *high ? key : *high;
        c->items.data[visible++] = {key, (uint32_t)i};
    }
    c->frame.visible = visible;
    return true;
}

// Stable radix sort, nearest first; equal depths stay in index order.
bool sort_by_depth(Context* c, int64_t count) {
    uint32_t low, high;
    if (!depth_items(c, count, &low, &high)) return false;
    const int64_t visible = c->frame.visible;
    if (!c->order.resize(visible + 1)) return false;
    Item *from = c->items.data, *to = c->other_items.data;
    const int key_bits = visible && high > low ? 32 - __builtin_clz(high - low) : 0;
    const int passes = (key_bits + 11) / 12;
    const int digit = passes ? (key_bits + passes - 1) / passes : 0;
    uint32_t starts[4096];
    for (int pass = 0; pass < passes; pass++) {
        const uint32_t mask = (1u << digit) - 1, shift = pass * digit;
        memset(starts, 0, sizeof(uint32_t) << digit);
        for (int64_t i = 0; i < visible; i++) starts[(from[i].key - low) >> shift & mask]++;
        uint32_t sum = 0;
        for (uint32_t d = 0; d <= mask; d++) {
            const uint32_t n = starts[d];
            starts[d] = sum, sum += n;
        }
        for (int64_t i = 0; i < visible; i++) to[starts[(from[i].key - low) >> shift & mask]++] = from[i];
        Item* swap = from;
        from = to, to = swap;
    }
    for (int64_t i = 0; i < visible; i++) c->order.data[i] = from[i].index;
    c->frame.order = c->order.data;
    return true;
}

void cut_chunks(Context* c) {
    const int64_t visible = c->frame.visible;
    int64_t count = visible / 1024;
    count = count < 1 ? 1 : count > CHUNKS ? CHUNKS : count;
    c->chunk_count = (int)count;
    for (int64_t i = 0; i < count; i++) {
        c->chunks[i].begin = visible * i / count;
        c->chunks[i].end = visible * (i + 1) / count;
        c->chunks[i].count = c->chunks[i].base = 0;
    }
}

// Project, count the candidates per tile and chunk, and scatter them: within a tile by depth.
bool bin_into_tiles(Context* c) {
    Frame* f = &c->frame;
    const int tiles = f->tiles_x * f->tiles_y;
    cut_chunks(c);
    if (!c->records.resize(f->visible * f->record_stride + 1) || !c->first.resize(f->visible + 1) ||
        !c->last.resize(f->visible + 1) || !c->tile_start.resize(tiles + 1) ||
        !c->histogram.resize((size_t)tiles * c->chunk_count))
        return false;
    f->records = c->records.data, f->first = c->first.data, f->last = c->last.data;
    bool enough[CHUNKS];
    uint32_t* histogram = c->histogram.data;
    parallel_for(c->chunk_count, c->threads, [=, &enough](int64_t i) {
        Chunk* chunk = &c->chunks[i];
        enough[i] = c->table->project(f, chunk);
        uint32_t* counts = histogram + i * tiles;
        memset(counts, 0, sizeof(uint32_t) * tiles);
        for (uint32_t k = 0; k < chunk->count; k++) counts[chunk->items[k].tile]++;
    });
    uint64_t total = 0;
    for (int i = 0; i < c->chunk_count; i++) {
        if (!enough[i]) return false;
        c->chunks[i].base = (uint32_t)total;
        total += c->chunks[i].count;
    }
    if (total >= 0xffffffffu || !c->entries.resize(total + 1)) return false;
    uint32_t sum = 0;
    for (int tile = 0; tile < tiles; tile++) {
        c->tile_start.data[tile] = sum;
        for (int i = 0; i < c->chunk_count; i++) {
            const uint32_t n = histogram[(size_t)i * tiles + tile];
            histogram[(size_t)i * tiles + tile] = sum, sum += n;
        }
    }
    c->tile_start.data[tiles] = sum;
    f->entries = c->entries.data, f->tile_start = c->tile_start.data;
    Entry* entries = c->entries.data;
    parallel_for(c->chunk_count, c->threads, [=](int64_t i) {
        const Chunk& chunk = c->chunks[i];
        uint32_t* cursor = histogram + i * tiles;
        for (int64_t rank = chunk.begin; rank < chunk.end; rank++)
            for (uint32_t k = f->first[rank]; k < f->last[rank]; k++)
                entries[cursor[chunk.items[k].tile]++] = {(uint32_t)rank, chunk.base + k,
                                                          chunk.items[k].blocks};
    });
    return true;
}

int padded_channels(int channels) {
    const int rest = channels % GROUP;
    const int tail = rest == 0 ? 0 : rest == 1 ? 1 : rest <= 3 ? 3 : rest == 4 ? 4 : GROUP;
    return channels - rest + tail;
}

bool prepare(Context* c, const A3dCamera* camera, const float* values, int64_t count,
             const float* features, int64_t feature_stride, int channels, const float* background,
             int threads) {
    Frame* f = &c->frame;
    *f = Frame{};
    f->camera = *camera;
    f->tiles_x = (camera->width + TILE - 1) / TILE, f->tiles_y = (camera->height + TILE - 1) / TILE;
    f->values = values, f->features = features, f->feature_stride = feature_stride;
    f->channels = channels, f->padded = padded_channels(channels);
    // Whole cache lines: records and slots are visited in no order that the processor foresees.
    f->record_stride = (RECORD_HEAD + f->padded + 15) / 16 * 16;
    f->slot_stride = (SLOT_HEAD + f->padded + 15) / 16 * 16;
    c->threads = threads < 1 ? 1 : threads;
    if (background) {
        if (!c->background.resize(channels)) return false;
        memcpy(c->background.data, background, sizeof(float) * channels);
        f->background = c->background.data;
    }
    return sort_by_depth(c, count) && bin_into_tiles(c);
}

}  // namespace

// The name of instruction set `isa` (0 baseline, 1 AVX2, 2 AVX-512, -1 the best), null if this
// processor has it not.
A3D_API const char* a3d_instruction_set(int isa) {
    const KernelTable* table = table_of(isa);
    return table ? table->name : nullptr;
}

// Draw; returns what a3d_backward and a3d_release want, or null when memory runs out.
A3D_API void* a3d_forward(const A3dCamera* camera, const float* values, int64_t count,
                          const float* features, int64_t feature_stride, int channels,
                          const float* background, float* out_features, float* out_alpha,
                          float* out_depth, int threads, int isa) {
    Context* c = take_context();
    c->table = table_of(isa);
    if (!c->table || !prepare(c, camera, values, count, features, feature_stride, channels,
                              background, threads)) {
        delete c;
        return nullptr;
    }
    Frame* f = &c->frame;
    f->out_features = out_features, f->out_alpha = out_alpha, f->out_depth = out_depth;
    parallel_for((int64_t)f->tiles_x * f->tiles_y, c->threads,
                 [=](int64_t tile) { c->table->forward_tile(f, (int)tile); });
    return c;
}

// Gradients of the picture that `context` drew. The arrays given to a3d_forward must be unchanged.
// gradient_values (N, 14) and gradient_features are overwritten; features may be columns of values.
A3D_API int a3d_backward(void* context, const float* upstream_features, const float* upstream_alpha,
                         const float* upstream_depth, int64_t count, float* gradient_values,
                         float* gradient_features, int64_t gradient_feature_stride) {
    Context* c = (Context*)context;
    Frame* f = &c->frame;
    const Chunk& final_chunk = c->chunks[c->chunk_count - 1];
    const size_t slots = (size_t)final_chunk.base + final_chunk.count;
    if (!c->slots.resize(slots * f->slot_stride + 1) || !c->written.resize(slots + 1)) return 0;
    memset(c->written.data, 0, slots);
    f->slots = c->slots.data, f->written = c->written.data;
    f->upstream_features = upstream_features, f->upstream_alpha = upstream_alpha;
    f->upstream_depth = upstream_depth;
    f->gradient_values = gradient_values, f->gradient_features = gradient_features;
    f->gradient_feature_stride = gradient_feature_stride;
    memset(gradient_values, 0, sizeof(float) * VALUE_WIDTH * count);
    if (gradient_features != gradient_values + 11)
        for (int64_t i = 0; i < count; i++)
            memset(gradient_features + i * gradient_feature_stride, 0, sizeof(float) * f->channels);
    parallel_for((int64_t)f->tiles_x * f->tiles_y, c->threads,
                 [=](int64_t tile) { c->table->backward_tile(f, (int)tile); });
    parallel_for(c->chunk_count, c->threads,
                 [=](int64_t i) { c->table->project_backward(f, &c->chunks[i]); });
    return 1;
}

// How many (pixel, Gaussian) pairs add to the picture.
A3D_API int64_t a3d_count_pairs(void* context) {
    Context* c = (Context*)context;
    int64_t pairs = 0;
    for (int tile = 0; tile < c->frame.tiles_x * c->frame.tiles_y; tile++)
        pairs += c->table->count_tile(&c->frame, tile);
    return pairs;
}

A3D_API void a3d_release(void* context) {
    Context* c = (Context*)context;
    {
        std::lock_guard<std::mutex> lock(kept_mutex);
        for (Context*& slot : kept)
            if (!slot) {
                slot = c;
                return;
            }
    }
    delete c;
}

// Digest of the sources; build.py looks for these bytes to see whether the library is current.
A3D_API const char* a3d_sources() { return A3D_SOURCES; }

A3D_API double a3d_fma_loop(int64_t rounds, int isa) {
    const KernelTable* table = table_of(isa);
    return table ? table->fma_loop(rounds) : 0.0;
}
