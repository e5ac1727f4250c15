"""The dashboard: it reads what the build leaves behind, and starts and stops doit."""
