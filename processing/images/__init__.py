"""What is derived from pictures: thumbnails, previews, tile pools."""
