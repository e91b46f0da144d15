"""Cells: which pixels belong to which piece, and fast arithmetic over them."""
