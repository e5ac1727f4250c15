"""Training with Keras: a network as a Keras model, its learning rate, its progress."""
