"""The process of a stage: how it is started, what it does, and how it ends."""
