"""The world: one file per outside system; no adapter knows another."""
