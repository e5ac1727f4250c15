"""From a network to the float graph that is deployed: a ``.tflite`` file, and what each of its tensors is for."""
