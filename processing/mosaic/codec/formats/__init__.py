"""The structure of PNG, JPEG, GIF, HEIF and AVIF files, read without decoding a pixel."""
