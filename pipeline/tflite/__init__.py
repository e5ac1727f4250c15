"""The one room that knows the TensorFlow Lite file format, and what goes along with such a file."""
