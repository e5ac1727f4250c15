"""The NPU: what every command does to its memories, planned once and run in batches of samples."""
