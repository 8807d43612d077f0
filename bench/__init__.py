"""The benchmarks: what this service exists for, measured beside the least that could do it, and counted."""
