// A small pool of threads with a dynamic queue: no OpenMP, whose second runtime beside torch's is a
// known crash on macOS and Windows.
#pragma once
#include <stdint.h>

#include <functional>

// Run task(0) ... task(count - 1) on at most `threads` threads, the caller's among them.
void parallel_for(int64_t count, int threads, const std::function<void(int64_t)>& task);
