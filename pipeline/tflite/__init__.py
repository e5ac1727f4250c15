"""The one room that knows the TensorFlow Lite file format: reads it, writes it, changes it, tells what is inside."""
