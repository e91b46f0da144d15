"""The task queue: workers, their runs, and what the outside is told."""
