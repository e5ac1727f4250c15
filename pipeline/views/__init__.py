"""What is said of results: tables, comparisons, reports, the matrix and the Pareto front."""
