"""The stages, a module each: what it reads, needs and provides, and ``make``, which loads libraries when it runs."""
