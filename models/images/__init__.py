"""Images: their records, uploads and quotas, the lists of them, and who may see what."""
