"""What a model costs on every Ethos-U."""
