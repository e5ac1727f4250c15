"""How accurate every form of a model is over the test set, and what quantizing it cost."""
