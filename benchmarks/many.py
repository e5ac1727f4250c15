"""Fill a project's store with results of many experiments without running a stage.

Each experiment is a copy of one that is built, with another seed. A result is the built one's
artefacts plus a small file that makes its content, and so everything downstream, differ, as
it would after real training. The next build restores them all. Run by ``no_op.py`` with the
project as working directory.
"""

import argparse
import re
import shutil
from pathlib import Path

import msgspec

from pipeline.engine import job_graph
from pipeline.engine.project import Project
from pipeline.engine.results.record import RECORD, read_record
from pipeline.engine.status import Assessor, State
from pipeline.experiments import experiment


def main() -> None:
    """Make the experiments and their results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="the experiment that is built")
    parser.add_argument("count", type=int, help="how many to make from it")
    options = parser.parse_args()
    project = Project()
    for number in range(1, options.count + 1):
        _make(project, options.model, f"{options.model}-{number:03d}", number)
    project.hashes.save()


def _make(project: Project, model: str, name: str, seed: int) -> None:
    text = (project.experiments / f"{model}.toml").read_text("utf-8")
    seeded = re.sub(r"^\[training\]$", f"[training]\nseed = {seed}", text, flags=re.MULTILINE)
    (project.experiments / f"{name}.toml").write_text(seeded, "utf-8")
    assessor = Assessor(project)
    states: dict[str, State] = {}
    for job in job_graph.jobs(name, experiment.load(name)):
        states[job.name] = assessor.assess(job, states)
        if not states[job.name].remembered:
            _publish(project, job, states[job.name], project.build / model / job.link.relative_to(project.build / name))
            states[job.name] = assessor.assess(job, states)
    # Results that nothing shows yet: the build must find them in the store, and put them on record.
    shutil.rmtree(project.build / name)


def _publish(project: Project, job: job_graph.Job, state: State, built: Path) -> None:
    if state.key is None or state.inputs is None:
        message = f"{job.name} has no inputs: is the experiment it is made from built?"
        raise RuntimeError(message)
    with project.store.scratch_folder() as scratch:
        result = scratch / "result"
        shutil.copytree(built, result)
        (result / "experiment.txt").write_text(job.experiment, "utf-8")
        (result / RECORD).unlink()
        record = msgspec.structs.replace(
            read_record(built),
            experiment=job.experiment,
            key=state.key,
            inputs=state.inputs,
            outputs=project.store.describe_outputs(result),
        )
        project.store.publish(result, record, job.link)


if __name__ == "__main__":
    main()
