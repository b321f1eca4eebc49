// One instruction set's kernels. build.py compiles this file several times: A3D_TABLE names the table
// it exports, the -m flags choose the vectors.
#include "compose.h"

namespace {

// The passes exist for 1, 3, 4 and 8 channels; records are padded with zeros to fit.
void forward_tile(Frame* f, int tile) {
    for (int offset = 0; offset < f->channels; offset += GROUP) {
        const int left = f->channels - offset, channels = left < GROUP ? left : GROUP;
        if (channels == 1) forward_pass<1, false>(f, tile, offset, channels);
        else if (channels <= 3) forward_pass<3, false>(f, tile, offset, channels);
        else if (channels <= 4) forward_pass<4, false>(f, tile, offset, channels);
        else forward_pass<8, false>(f, tile, offset, channels);
    }
}

void backward_tile(Frame* f, int tile) {
    for (int offset = 0; offset < f->channels; offset += GROUP) {
        const int left = f->channels - offset, channels = left < GROUP ? left : GROUP;
        if (channels == 1) backward_pass<1>(f, tile, offset, channels);
        else if (channels <= 3) backward_pass<3>(f, tile, offset, channels);
        else if (channels <= 4) backward_pass<4>(f, tile, offset, channels);
        else backward_pass<8>(f, tile, offset, channels);
    }
}

int64_t count_tile(Frame* f, int tile) { return forward_pass<1, true>(f, tile, 0, 1); }

// A fixed yardstick: `rounds` times 12 independent multiply-adds on full vectors, all in registers.
double fma_loop(int64_t rounds) {
    VF sums[12];
    for (int k = 0; k < 12; k++) sums[k] = set1((float)k);
    const VF factor = set1(0.999f), step = set1(0.001f);
    for (int64_t i = 0; i < rounds; i++)
        for (int k = 0; k < 12; k++) sums[k] = fma(sums[k], factor, step);
    VF all = sums[0];
    for (int k = 1; k < 12; k++) all = all + sums[k];
    double total = 0.0;
    for (int lane = 0; lane < LANES; lane++) total += all[lane];
    return total;
}

}  // namespace

extern "C" {
extern const KernelTable A3D_TABLE;
const KernelTable A3D_TABLE = {
    A3D_NAME,         project,    forward_tile, backward_tile,
    project_backward, count_tile, fma_loop,
};
}
