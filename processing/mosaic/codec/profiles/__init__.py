"""Colour: ICC profiles, code points and high dynamic range, converted to sRGB."""
