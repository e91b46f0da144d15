"""Encoders: whole images, strips, blocks, animations and SVG."""
