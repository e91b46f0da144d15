"""Decoding and encoding pictures."""
