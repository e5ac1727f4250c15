"""What the dashboard knows, as plain data: nothing here imports Textual."""
