"""Posed views of one object, and the multiview diffusion that makes them from a picture."""
