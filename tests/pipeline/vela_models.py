"""Small models as TFLiteConverter makes them, and what the real Vela makes of them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import Once

MODELS = """
import sys

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
into = keras.Input((4,), batch_size=1, name="input")
dense = keras.layers.Dense(8, name="dense")(into)
output = keras.layers.Dense(3, activation="softmax", name="output")
image = keras.Input((9, 8, 3), batch_size=1)
convolved = keras.layers.Conv2D(24, 3, strides=2, padding="same", activation="relu")(image)
convolved = keras.layers.DepthwiseConv2D((9, 3), padding="same")(convolved)
convolved = keras.layers.Conv2D(40, 3, dilation_rate=2, padding="same")(convolved)
row = keras.Input((256,), batch_size=1)
wide = keras.layers.Dense(384, activation="sigmoid")(row)
wide = keras.layers.Dense(64)(wide * keras.layers.Dense(384)(row) + wide)
curved = keras.layers.Dense(24, activation="sigmoid")(row) + keras.layers.Dense(24, activation="tanh")(row)
models = {
    "sixteen": keras.Model(row, keras.layers.Dense(10, activation="softmax")(curved)),
    "convolutions": keras.Model(image, keras.layers.Conv2D(10, (2, 4))(convolved)),
    "wide": keras.Model(row, wide),
    "on_npu": keras.Model(into, output(keras.ops.relu(dense))),
    "in_part": keras.Model(into, output(keras.ops.sin(dense))),
    "on_cpu": keras.Model(into, keras.ops.sin(into)),
}
for name, model in models.items():
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    samples = np.random.default_rng(0).random((10, 1, *model.input_shape[1:]), dtype=np.float32)
    if name != "on_cpu":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.inference_input_type = converter.inference_output_type = tf.int16 if name == "sixteen" else tf.int8
    if name == "sixteen":
        kernels = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [kernels]
    with open(f"{sys.argv[1]}/{name}.tflite", "wb") as file:
        file.write(converter.convert())
"""


def convert(folder: Path) -> None:
    folder.mkdir()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", MODELS, str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def models(once: Once) -> Path:
    """Return a folder with quantized models, one with a float sine in the middle, and one that is only a sine."""
    return once("models", convert)


@pytest.fixture(scope="session")
def vela_once(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, str]]:
    """Compile for a target with the real Vela, once; nobody may change the folder."""
    base = tmp_path_factory.mktemp("compiled")

    @cache
    def compile_(model: str, accelerator: str, system_config: str, memory_mode: str) -> tuple[Path, str]:
        folder = base / f"{model} {accelerator} {system_config} {memory_mode}"
        command = [sys.executable, "-m", "ethosu.vela", str(models / f"{model}.tflite"), "--output-dir", str(folder)]
        command += ["--config", "Arm/vela.ini", "--accelerator-config", accelerator]
        command += ["--system-config", system_config, "--memory-mode", memory_mode]
        command += ["--verbose-performance", "--show-cpu-operations"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout
        return folder, done.stdout

    return compile_


@pytest.fixture
def compiled(vela_once: Callable[..., tuple[Path, str]], tmp_path: Path) -> Callable[..., tuple[Path, str]]:
    """Compile one of the models; return a folder of the test's own with Vela's reports, and what it printed."""

    def compile_(
        model: str,
        accelerator: str = "ethos-u55-128",
        system_config: str = "Ethos_U55_High_End_Embedded",
        memory_mode: str = "Shared_Sram",
    ) -> tuple[Path, str]:
        folder, messages = vela_once(model, accelerator, system_config, memory_mode)
        return shutil.copytree(folder, tmp_path / "vela"), messages

    return compile_
