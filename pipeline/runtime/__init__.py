"""Run a model on its ports: with LiteRT, with TensorFlow Lite Micro, and emulated as it is compiled."""
