"""Helpers of the engine's command line. The only part of the engine that reads the disk."""
