"""What differs for a reason that is known is said once of all that differ alike; the reasons are in ``operators``."""

from dataclasses import replace

from pipeline.emulator.proof import dataflow, known_differences
from pipeline.emulator.proof.known_differences import recognised
from tests.pipeline.emulator.compiled import CompileModel
from tests.pipeline.emulator.proof.one_input import SIGMOID, of_one
from tests.pipeline.emulator.single import Stored


def test_operators_that_differ_alike_share_a_sentence(compile_model: CompileModel) -> None:
    compiled = compile_model(of_one("LOGISTIC", Stored(12.35, 5), SIGMOID))
    matches = dataflow.follow(compiled.machine, compiled.model, compiled.origins).matches
    (one,) = recognised(matches)
    operator = one.match.operators[0]
    later = replace(operator, outputs=(replace(operator.outputs[0], name="later"),))
    other = replace(one, match=replace(one.match, operators=(later,)))

    (sentence,) = known_differences.sentences(
        [one, other], known_differences.substituted(compiled.machine, matches, [one]), compiled.model
    )

    assert sentence.startswith("LOGISTIC output and 1 more like it: the NPU differs")
