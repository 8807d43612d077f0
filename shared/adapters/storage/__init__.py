"""Azure Storage: the tables that remember every tenant, and the queues that carry the work."""
