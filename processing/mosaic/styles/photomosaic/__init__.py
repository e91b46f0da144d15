"""The style `photomosaic`."""
