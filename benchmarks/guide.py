"""Arm's guide as one script in one process: the baseline of a cold build.

It follows the path of "Unrolling RNN models for Arm Ethos-U55 and U65" (Arm, 2021) in our own
words: train, rebuild unrolled, quantize, evaluate, compile. The settings are the guide's, not
ours; the kernels and the target are ours, so that both do the same work. Prints one JSON line.
"""
# ruff: noqa: E402 - the clock starts before the heavy imports

import time

STARTED = time.perf_counter()

import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

EXPERIMENT = Path(__file__).resolve().parents[1] / "experiments" / "mnist-gru.toml"


class Clock:
    """Seconds of each step, counted from the start of the script."""

    def __init__(self) -> None:
        """Start with the script, not with this object."""
        self.seconds: dict[str, float] = {}
        self._last = STARTED

    def lap(self, step: str) -> None:
        """Book the time since the last lap under a step."""
        now = time.perf_counter()
        self.seconds[step] = round(now - self._last, 3)
        self._last = now


def load(folder: Path, part: str) -> tuple[Images, Labels]:
    """Read one part of MNIST, normalized to [0, 1]."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    return pixels.astype(np.float32) / np.float32(255), np.frombuffer(labels, np.uint8, offset=8)


def network(*, deployed: bool) -> keras.Model:
    """Build the guide's network, as trained or with batch size 1 and every time step written out."""
    layers = [
        keras.Input((28, 28), batch_size=1 if deployed else None),
        keras.layers.GRU(256, unroll=deployed),
        keras.layers.Dense(10, activation="softmax"),
    ]
    return keras.Sequential(layers)


def train(images: Images, labels: Labels) -> keras.Model:
    """Train one epoch with the guide's settings."""
    keras.utils.set_random_seed(0)
    model = network(deployed=False)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=32, epochs=1, verbose=0)
    return model


def convert(trained: keras.Model, images: Images) -> tuple[bytes, bytes]:
    """Return the deployment graph as a float and as an int8 model."""
    unrolled = network(deployed=True)
    unrolled.set_weights(trained.get_weights())
    in_float = tf.lite.TFLiteConverter.from_keras_model(unrolled).convert()

    def representative() -> Iterator[list[Images]]:
        for index in range(50):
            yield [images[index : index + 1]]

    converter = tf.lite.TFLiteConverter.from_keras_model(unrolled)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return in_float, converter.convert()


def accuracy(model: bytes, kernels: OpResolverType, images: Images, labels: Labels) -> float:
    """Run every image through a model, one after the other."""
    interpreter = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = into["quantization"]
    right = 0
    for image, label in zip(images, labels, strict=True):
        stored = np.clip(np.round(image / scale) + zero_point, -128, 127).astype(np.int8) if scale else image
        interpreter.set_tensor(into["index"], stored[np.newaxis])
        interpreter.invoke()
        right += int(interpreter.get_tensor(out["index"])[0].argmax() == label)
    return right / len(labels)


def cycles(model: bytes) -> float:
    """Compile for the first target of our experiment; return Vela's estimate."""
    target: dict[str, Any] = next(iter(tomllib.loads(EXPERIMENT.read_text("utf-8"))["vela"]["targets"].values()))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.tflite")
        file.write_bytes(model)
        command = [sys.executable, "-m", "ethosu.vela", str(file), "--output-dir", folder, "--config", "Arm/vela.ini"]
        command += ["--accelerator-config", target["accelerator"], "--system-config", target["system_config"]]
        command += ["--memory-mode", target["memory_mode"], "--verbose-performance"]
        subprocess.run(command, check=True, capture_output=True)
        with next(Path(folder).glob("*_summary_*.csv")).open(encoding="utf-8") as summary:
            return float(next(csv.DictReader(summary))["cycles_total"])


def main() -> None:
    """Walk the guide's path."""
    clock = Clock()
    clock.lap("import")
    if "UNROLL_DATA" not in os.environ:
        sys.exit("set UNROLL_DATA to the folder that holds mnist/*.gz")
    folder = Path(os.environ["UNROLL_DATA"], "mnist")
    (x_train, y_train), (x_test, y_test) = load(folder, "train"), load(folder, "t10k")
    clock.lap("load")
    trained = train(x_train, y_train)
    clock.lap("train")
    in_float, in_int8 = convert(trained, x_train)
    clock.lap("convert")
    accuracies = {
        "float": accuracy(in_float, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, x_test, y_test),
        "quantized": accuracy(in_int8, OpResolverType.BUILTIN_REF, x_test, y_test),
    }
    found: dict[str, Any] = {"scores": {form: {"accuracy": share} for form, share in accuracies.items()}}
    clock.lap("evaluate")
    found["cycles_total"] = cycles(in_int8)
    clock.lap("vela")
    total = round(time.perf_counter() - STARTED, 3)
    print(json.dumps({"seconds": {**clock.seconds, "total": total}, **found}))


if __name__ == "__main__":
    main()
