"""The families of props, grouped by what they are; each is one short function."""
