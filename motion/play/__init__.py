"""Drive the quadruped live from the keyboard: `python -m motion.play` serves a page on loopback."""
