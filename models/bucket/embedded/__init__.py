"""The embedded bucket: objects as files in a folder, with Kodo's semantics."""
