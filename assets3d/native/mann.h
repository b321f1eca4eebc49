// The mode-adaptive network: what mann.cpp (once per instruction set) and mann_driver.cpp share.
#pragma once
#include <stdint.h>

constexpr int PANEL = 32;  // outputs computed together; weights are stored in panels of that many
constexpr int MOST_TOGETHER = 4;  // inputs whose weights are unpacked together, see Storage
constexpr int MOST_EXPERTS = 64, MOST_GATES = 64;
constexpr int ROWS_AT_ONCE = 416;  // characters of a batch that go through the layers together

enum Storage { FLOAT32 = 0, INT16 = 1, THIRDS = 2 };

// One layer of experts. Panels lie one after another, in each the experts, in each a part: biases
// (PANEL floats), for integers also a scale for each output (PANEL floats), then the weights of
// PANEL outputs in groups of inputs. All in one stream, so that nothing else has to come from
// memory. A group, in words of 32 bits:
// FLOAT32  4 inputs: 4 rows of 32 words
// INT16    4 inputs: 4 rows of 16 words, output j + 16 in the high half of word j, j in the low one
// THIRDS   3 inputs: 32 words, one for each output, with 11, 11 and 10 bits from the top
// A weight is the word, shifted until its bits come first, as a signed number times the output's
// scale. What follows its bits is not masked out: whoever packs chooses the bits so that weight and
// rest together come nearest.
extern "C" struct A3dMannLayer {
    const void* panels;
    int32_t inputs;  // a multiple of the inputs of a group: zeros fill it up
    int32_t outputs;
    int32_t panel_count;
    int32_t unused;
};

extern "C" struct A3dMann {
    A3dMannLayer layers[3];
    const float* gate_weights[3];  // (in, out)
    const float* gate_biases[3];
    const int32_t* gating;         // indices of normalised inputs
    const float *input_mean, *input_std, *output_mean, *output_std;
    int32_t inputs, gates, gating_hidden, experts;
    int32_t storage;
    const void* small;  // everything but the layers' panels lies in these bytes
    int64_t small_bytes;
    float threshold;  // experts with less weight are left out; 0 keeps all
};

// One instruction set's kernels. Rows are characters. A block holds `block_rows` of them, input by
// input: block[k * block_rows + row].
struct MannTable {
    int block_rows;
    // Normalise `rows` (<= stride) characters into a block of that stride; blend weights per row.
    void (*prepare)(const A3dMann*, const float* x, int rows, int stride, float* block,
                    float* shares);
    // One panel of a layer for one character; `last` leaves ELU out and scales the result back.
    void (*one_panel)(const A3dMann*, int layer, int panel, const float* in, const float* shares,
                      float* out);
    // The same for `rows` characters in blocks; the last layer writes rows of `out`. Scratch holds
    // PANEL floats for each row of the blocks and for each of the layer's inputs.
    void (*batch_panel)(const A3dMann*, int layer, int panel, int rows, const float* in,
                        const float* shares, float* scratch, float* out);
    float (*read_loop)(const float* values, int64_t count);
};
