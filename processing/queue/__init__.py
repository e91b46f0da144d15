"""The task queue: adding tasks, running them on this server, and following those of all servers."""
