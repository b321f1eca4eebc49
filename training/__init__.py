"""How every embedded weight file was made: one resumable command each, on CPU or CUDA."""
