"""What is learned: how it is scored, and what it means that two models differ."""
