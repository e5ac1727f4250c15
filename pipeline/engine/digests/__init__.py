"""What a result's key is made of, and whether it is still that while a stage runs."""
