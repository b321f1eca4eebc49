"""Motion in files: BVH, GLB with the project's bodies, and the user's own skinned GLB."""
