"""The queue's records in MongoDB: tasks, leases, order, servers, events."""
