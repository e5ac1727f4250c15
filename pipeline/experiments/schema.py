"""The schema of an experiment file: its tables, their keys, types and bounds, each with what it is for.

``msgspec`` checks them, ``pipeline.experiments.experiment`` checks what no single key can show, and the
reference in ``docs/`` is written from the descriptions.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of an experiment file."""

    LATER: ClassVar[Mapping[str, Any]] = {}
    """Keys that came when there were results already, with their defaults."""
    JUDGES: ClassVar[frozenset[str]] = frozenset()
    """Keys by which results are judged and that no stage reads: nothing is rebuilt when they change."""

    def as_dict(self) -> dict[str, Any]:
        """Return every key that a stage may read with its value, defaults included, as JSON types.

        Of ``LATER``, only what was chosen: a default that changes nothing keeps the keys of earlier results.
        """
        built: dict[str, Any] = msgspec.to_builtins(self)
        read = {name: value for name, value in built.items() if name not in self.JUDGES}
        return {name: value for name, value in read.items() if name not in self.LATER or value != self.LATER[name]}


class Dataset(Section, frozen=True):
    """What to learn from: `mnist`, the `digits` that ship in scikit-learn, or your own `npz`."""

    name: Annotated[Literal["mnist", "digits", "npz"], Meta(description="the data set")]
    path: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="`mnist`: a folder with the four IDX files; `npz`: the file"),
    ] = None
    stand_in: Annotated[
        Literal["digits"] | None,
        Meta(description="what to use, and say so everywhere, when `mnist` can't be had"),
    ] = None
    train_samples: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="use only so many training samples, of all classes and spread over the set"),
    ] = None
    test_samples: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="use only so many test samples, chosen in the same way")
    ] = None


class Model(Section, frozen=True):
    """Recurrent layers, dense layers, and a softmax over the classes of the data set."""

    cell: Annotated[Literal["gru", "lstm", "simple_rnn"], Meta(description="the recurrent cell")]
    units: Annotated[int, Meta(ge=1, le=4096, description="width of the hidden state")]
    layers: Annotated[int, Meta(ge=1, le=8, description="recurrent layers, one upon the other")] = 1
    dense: Annotated[
        list[Annotated[int, Meta(ge=1, le=4096)]],
        Meta(max_length=8, description="widths of the dense layers (ReLU) between the last one and the softmax"),
    ] = []
    activation: Annotated[
        Literal["tanh"], Meta(description="of candidate and state: Keras' default, which the NPU computes by a table")
    ] = "tanh"
    recurrent_activation: Annotated[
        Literal["sigmoid"], Meta(description="of the gates: Keras' default, which the NPU computes by a table")
    ] = "sigmoid"
    reset_after: Annotated[
        bool, Meta(description="`gru`: the reset gate multiplies the recurrent product (Keras' default), not the state")
    ] = True
    rows_per_step: Annotated[
        int,
        Meta(
            ge=1,
            description="rows of the data set that make one time step: 4 fold 28 x 28 to 7 x 112; must divide the rows",
        ),
    ] = 1
    LATER: ClassVar[Mapping[str, Any]] = {"rows_per_step": 1}


class Training(Section, frozen=True):
    """How the weights are trained: Adam on the sparse categorical cross-entropy."""

    epochs: Annotated[int, Meta(ge=1, description="passes over the training samples")] = 1
    batch_size: Annotated[int, Meta(ge=1, description="samples per training step")] = 64
    learning_rate: Annotated[float, Meta(gt=0, le=10, description="Adam's learning rate at its peak")] = 3e-3
    schedule: Annotated[
        Literal["warmup_cosine", "constant"],
        Meta(description="linear warm-up then cosine decay to 0, or the same rate throughout"),
    ] = "warmup_cosine"
    warmup: Annotated[float, Meta(ge=0, lt=1, description="share of all training steps spent warming up")] = 0.1
    clip_norm: Annotated[float, Meta(ge=0, le=1e6, description="clip each gradient to this norm; 0 does not")] = 1.0
    seed: Annotated[int, Meta(ge=0, lt=2**32, description="seeds initial weights and the shuffling")] = 0


class Compress(Section, frozen=True):
    """Weights that take few bytes and, where the NPU waits for them, few cycles; without it, they stay as they are."""

    clusters: Annotated[
        Annotated[int, Meta(ge=4, le=32)] | None,
        Meta(description="at most so many values in a whole matrix, as int8 codes; 0 is one of them with `sparsity`"),
    ] = None
    sparsity: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        Meta(description="share of the weights of a matrix that are 0: those with the least magnitude"),
    ] = None
    matrices: Annotated[
        list[Literal["recurrent", "input", "dense"]],
        Meta(
            min_length=1,
            description="which: what multiplies the state (read at every step), the input, and of all dense layers",
        ),
    ] = msgspec.field(default_factory=lambda: ["recurrent"])
    fine_tune_epochs: Annotated[int, Meta(ge=1, description="passes over the training samples")] = 1
    learning_rate: Annotated[
        float, Meta(gt=0, le=10, description="Adam's at its peak; schedule, batch size and seed are of `[training]`")
    ] = 3e-3


class Deployment(Section, frozen=True):
    """The graph that runs on the board."""

    graph: Annotated[
        Literal["tied", "keras"],
        Meta(description="plain operations with one scale for each role, or Keras' unrolled layer as in Arm's guide"),
    ] = "tied"
    state: Annotated[
        bool, Meta(description="take the state before the first step as an input, return it after the last one")
    ] = False
    steps_per_inference: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="with `state`: time steps, of `rows_per_step` rows each, of one inference; must divide the"
            " sequence, which is the default"
        ),
    ] = None


class Quantization(Section, frozen=True):
    """Full-integer post-training quantization: int8 weights, integers in and out."""

    activations: Annotated[Literal["int8", "int16"], Meta(description="what activations and states are stored in")] = (
        "int8"
    )
    representative_samples: Annotated[
        int,
        Meta(ge=1, description="training samples that show which ranges the activations have, chosen in the same way"),
    ] = 100
    ranges: Annotated[
        Literal["mse", "min_max", "percentile"],
        Meta(
            description="`tied`: the range with the least squared error, all that was seen, or the share `percentile`"
        ),
    ] = "mse"
    percentile: Annotated[
        float, Meta(gt=50, lt=100, description="of what was seen, so many percent are within the range")
    ] = 99.9


class Target(Section, frozen=True):
    """One Ethos-U to compile for; the table's name is yours."""

    accelerator: Annotated[
        str, Meta(description="accelerator configuration; the number is MACs per cycle", extra={"names": ACCELERATORS})
    ]
    system_config: Annotated[
        str, Meta(description="clocks and memories, of Vela's `Arm/vela.ini`", extra={"names": SYSTEM_CONFIGS})
    ]
    memory_mode: Annotated[
        str, Meta(description="where constants and arena live, of `Arm/vela.ini`", extra={"names": MEMORY_MODES})
    ]
    optimise: Annotated[Literal["Performance", "Size"], Meta(description="Vela's optimisation strategy")] = (
        "Performance"
    )
    config: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="your own `vela.ini`; `system_config` and `memory_mode` may be of it or of `Arm/vela.ini`"),
    ] = None
    LATER: ClassVar[Mapping[str, Any]] = {"config": None}


class Vela(Section, frozen=True):
    """What to compile for."""

    targets: Annotated[dict[str, Target], Meta(min_length=1, description="at least one named target")]


class Verify(Section, frozen=True):
    """How much of the test set goes through the emulated compiled file; the checks of its commands are whole always."""

    samples: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="only so many test samples, of all classes and spread over the set; the whole set by default"),
    ] = None
    require: Annotated[
        Literal["full", "partly", "nothing"],
        Meta(description="what must be proved, or the build fails: all, a part, or nothing; nothing is rebuilt for it"),
    ] = "full"
    JUDGES: ClassVar[frozenset[str]] = frozenset({"require"})


class ImportedVerify(Section, frozen=True):
    """How a model that was made elsewhere is verified: with random inputs, since there is no test set."""

    samples: Annotated[
        int, Meta(ge=1, description="random inputs, seeded, that go through the emulated compiled file")
    ] = 100
    require: Annotated[
        Literal["full", "partly", "nothing"],
        Meta(description="what must be proved, or the build fails: all, a part, or nothing; nothing is rebuilt for it"),
    ] = "nothing"
    JUDGES: ClassVar[frozenset[str]] = frozenset({"require"})


class Budget(Section, frozen=True):
    """What a result may cost; nothing is rebuilt when it changes."""

    accuracy_min: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None, Meta(description="int8 accuracy at least this share of 1")
    ] = None
    accuracy_drop_max: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="int8 accuracy at most so many percentage points below float"),
    ] = None
    compression_drop_max: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="int8 accuracy at most so many percentage points below that without `[compress]`"),
    ] = None
    cycles_max: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="cycles of one inference")] = None
    inference_ms_max: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="milliseconds of one inference")
    ] = None
    sram_max: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="bytes of SRAM")] = None
    flash_max: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="bytes of flash, the compiled file as it is flashed")
    ] = None
    cpu_operators_max: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="operators that may stay on the CPU; a build allows none unless this says so"),
    ] = None

    @property
    def limits_something(self) -> bool:
        """Tell whether an experiment has any budget."""
        return self != Budget()


class Grid(Section, frozen=True):
    """What `doit pareto` varies, all with all; an empty list keeps what is chosen. Nothing else is rebuilt for it."""

    rows_per_step: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(description="values of `model.rows_per_step`")] = (
        msgspec.field(default_factory=lambda: [1, 2, 4])
    )
    units: Annotated[
        list[Annotated[int, Meta(ge=1)]] | None,
        Meta(description="values of `model.units`; by default half of the experiment's own, and that itself"),
    ] = None
    sparsity: Annotated[
        list[Annotated[float, Meta(ge=0, lt=1)]], Meta(description="values of `compress.sparsity`; 0 prunes nothing")
    ] = []
    clusters: Annotated[
        list[Annotated[int, Meta(ge=0)]], Meta(description="values of `compress.clusters`; 0 shares nothing")
    ] = []


class Experiment(Section, frozen=True):
    """A whole experiment file. Each section is read by the stages that its title names."""

    dataset: Dataset
    model: Model
    vela: Vela
    training: Training = Training()
    compress: Compress | None = None
    deployment: Deployment = Deployment()
    quantization: Quantization = Quantization()
    verify: Verify = Verify()
    budget: Budget = Budget()
    grid: Grid = Grid()
    description: Annotated[str, Meta(description="a sentence for whoever reads the list")] = ""


class ImportedModel(Section, frozen=True):
    """In place of all that, a quantized model that was made elsewhere; what it costs is computed, and verified."""

    tflite: Annotated[str, Meta(min_length=1, description="the file, as a converter wrote it and not yet compiled")]


class Imported(Section, frozen=True):
    """An experiment whose model was made elsewhere: what its sections are is what is computed of it."""

    model: ImportedModel
    vela: Vela
    verify: ImportedVerify = ImportedVerify()
    budget: Budget = Budget()
    description: Annotated[str, Meta(description="a sentence for whoever reads the list")] = ""


AnyExperiment = Experiment | Imported
