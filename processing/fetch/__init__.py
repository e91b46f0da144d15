"""Downloading sources from other hosts, guarded against server-side request forgery."""
