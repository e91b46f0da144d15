"""The style `voronoi`."""
