"""What ONNX Runtime computes from exported graphs, compared with what the core computed.

Usage: onnx_check.py FOLDER. Every sub-folder is one case with `model.onnx`, perhaps `world_model.onnx`,
and the core's arrays as .npy: `observation`, `latent`, `logits`, `value`, and of the world model
`action` and its outputs. JSON with the differences of every case is printed.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

# Samples in one call, so that the outputs for all actions of a game fit into memory.
CHUNK = 250


def run(path, inputs):
    """All outputs of a graph by name."""
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    # Two threads are enough for graphs this small, and tests share the machine.
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    count = len(next(iter(inputs.values())))
    chunks = []
    for start in range(0, count, CHUNK):
        part = {name: values[start : start + CHUNK] for name, values in inputs.items()}
        chunks.append(session.run(names, part))
    return {name: np.concatenate(parts) for name, parts in zip(names, zip(*chunks))}


def difference(found, expected):
    """Largest difference, relative where numbers are larger than 1."""
    if found.shape != expected.shape:
        return f"shape {found.shape} is not {expected.shape}"
    return float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max())


def check(case):
    core = {path.stem: np.load(path) for path in case.glob("*.npy")}
    found = run(case / "model.onnx", {"observation": core["observation"]})
    agree = found["logits"].argmax(1) == core["logits"].argmax(1)
    normaliser = np.log(np.exp(core["logits"]).sum(1, keepdims=True))
    core["log_probs"] = core["logits"] - normaliser
    result = {
        "samples": len(agree),
        "distinct": len({sample.tobytes() for sample in core["observation"]}),
        "same_actions": int(agree.sum()),
        "outputs": sorted(found),
        "differences": {name: difference(values, core[name]) for name, values in found.items()},
    }
    if (case / "world_model.onnx").exists():
        # The core's latents, so that differences of the encoder do not count twice.
        inputs = {"latent": core["latent"], "action": core["action"]}
        found = run(case / "world_model.onnx", inputs)
        result["world_model_outputs"] = sorted(found)
        for name, values in found.items():
            result["differences"][name] = difference(values, core[name])
    return result


def main():
    cases = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_dir())
    print(json.dumps({case.name: check(case) for case in cases}))


main()
