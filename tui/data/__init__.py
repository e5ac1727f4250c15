"""What the dashboard shows, as plain data: nothing here imports Textual."""
