"""Tiles of photomosaics: pools of them, what matching knows of each picture, and their pixels."""
