"""The report of an experiment: one self-contained HTML file, and the same as Markdown."""
