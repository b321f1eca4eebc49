"""Clips changed as clips: resampled, placed, re-based, joined."""
