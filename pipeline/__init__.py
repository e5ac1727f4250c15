"""The core of Unroll: experiments, the graph of stages, the store, status and events.

Nothing here draws on a screen, and only ``pipeline.stages`` and ``pipeline.data`` import
TensorFlow, LiteRT or numpy.
"""
