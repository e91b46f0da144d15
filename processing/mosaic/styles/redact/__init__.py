"""The style `redact`."""
