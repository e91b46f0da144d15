"""Colour spaces, palettes, and arrays of pixels."""
