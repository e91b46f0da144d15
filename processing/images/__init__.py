"""Images derived from stored images: thumbnails, previews, tile pools, cell maps."""
