"""Tasks that judge results which are there: they fail a build, and make nothing."""
