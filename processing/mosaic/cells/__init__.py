"""Cells: the partition of a picture, its scanline runs, means and painting."""
