"""The style `tesserae`."""
