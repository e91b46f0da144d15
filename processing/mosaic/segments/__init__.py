"""Regions of a picture along its contours: superpixels, their outlines, and lines drawn over them."""
