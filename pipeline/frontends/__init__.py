"""From what a user has to a network: a module for each kind of ``[model]``."""
