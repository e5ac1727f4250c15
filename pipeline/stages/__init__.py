"""The stages. Each module has a function ``make(work)``; heavy imports live here and nowhere else."""
