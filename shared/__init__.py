"""The service: rules, work, world, and the one file that puts them together."""
