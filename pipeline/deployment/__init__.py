"""The deployment graph: a trained recurrent network as plain operations, and its tied quantization."""
