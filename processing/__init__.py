"""Work: the queue, the engine it runs jobs on, and the job itself."""
