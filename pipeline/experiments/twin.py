"""The twin of an experiment with ``[compress]``: the same without that section, to compare with."""

import msgspec

from pipeline.experiments.experiment import TWIN
from pipeline.experiments.schema import AnyExperiment, Budget, Imported


def with_twin(name: str, experiment: AnyExperiment) -> list[tuple[str, AnyExperiment]]:
    """Return an experiment by name, and behind it the same without ``[compress]`` if it has that section."""
    if isinstance(experiment, Imported) or experiment.compress is None:
        return [(name, experiment)]
    budget = Budget(cpu_operators_max=experiment.budget.cpu_operators_max)
    about = f"{name} without [compress], to compare with"
    twin = msgspec.structs.replace(experiment, compress=None, budget=budget, description=about)
    return [(name, experiment), (name + TWIN, twin)]
