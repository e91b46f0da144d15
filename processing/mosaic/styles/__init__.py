"""The styles: one file or one folder each."""
