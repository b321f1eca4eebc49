// What the library shows to ctypes: plain C names, everything else stays hidden.
#pragma once

#if defined(_WIN32)
#define A3D_API extern "C" __declspec(dllexport)
#else
#define A3D_API extern "C" __attribute__((visibility("default")))
#endif
