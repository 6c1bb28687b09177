"""PyTorch: state dictionaries, whole modules, TorchScript, exported programs, optimizers, quantised layers."""

import collections
import pickle

import torch
from torch import nn

from tests.corpora.models.benign.recipe import add, recipe

torch.manual_seed(5)


def _net():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


_STATE = _net().state_dict()

add("torch", "state-dict.pt", "a state dictionary", lambda path: torch.save(_STATE, path))
add(
    "torch",
    "state-dict.bin",
    "the same, under the name that transformers uses",
    lambda path: torch.save(_STATE, path),
)
add(
    "torch",
    "state-dict-legacy.pth",
    "a state dictionary in the format before zip",
    lambda path: torch.save(_STATE, path, _use_new_zipfile_serialization=False),
)
add(
    "torch",
    "state-dict-protocol-4.pt",
    "a state dictionary, pickle protocol 4",
    lambda path: torch.save(_STATE, path, pickle_protocol=4),
)
add("torch", "module.pt", "a whole module", lambda path: torch.save(_net(), path))
add(
    "torch",
    "module-legacy.pt",
    "a whole module in the format before zip, with source",
    lambda path: torch.save(_net(), path, _use_new_zipfile_serialization=False),
)
add(
    "torch",
    "convolution.pt",
    "a whole convolutional network",
    lambda path: torch.save(
        nn.Sequential(
            nn.Conv2d(1, 2, 3),
            nn.BatchNorm2d(2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(18, 2),
        ),
        path,
    ),
)
add(
    "torch",
    "transformer.pt",
    "a transformer layer",
    lambda path: torch.save(nn.TransformerEncoderLayer(4, 2, 8), path),
)
add(
    "torch",
    "recurrent.pt",
    "an LSTM, a GRU and an embedding",
    lambda path: torch.save(
        nn.ModuleDict({"lstm": nn.LSTM(3, 4), "gru": nn.GRU(3, 4), "words": nn.Embedding(5, 3)}), path
    ),
)
add("torch", "tensor.pt", "one tensor", lambda path: torch.save(torch.arange(6.0).view(2, 3), path))
add(
    "torch",
    "dtypes.pt",
    "tensors of every dtype",
    lambda path: torch.save(
        {
            str(t): torch.ones(2).to(t)
            for t in (
                torch.float16,
                torch.bfloat16,
                torch.float64,
                torch.int8,
                torch.uint8,
                torch.int16,
                torch.int32,
                torch.int64,
                torch.bool,
                torch.complex64,
                torch.float8_e4m3fn,
            )
        },
        path,
    ),
)
add(
    "torch",
    "sparse.pt",
    "sparse tensors",
    lambda path: torch.save([torch.eye(3).to_sparse(), torch.eye(3).to_sparse_csr()], path),
)
add(
    "torch",
    "parameter.pt",
    "a parameter and a buffer",
    lambda path: torch.save({"p": nn.Parameter(torch.ones(2)), "b": nn.Buffer(torch.ones(2))}, path),
)
add(
    "torch",
    "shared-storage.pt",
    "two views of one storage",
    lambda path: torch.save((lambda t: [t, t[1:], t.t()])(torch.eye(3)), path),
)
add(
    "torch",
    "strings.pt",
    "a checkpoint with plain settings",
    lambda path: torch.save(
        {
            "epoch": 3,
            "state_dict": _STATE,
            "args": {
                "lr": 0.1,
                "names": ["a", "b"],
                "size": torch.Size([2, 3]),
                "device": torch.device("cpu"),
                "dtype": torch.float32,
            },
        },
        path,
    ),
)
add(
    "torch",
    "namespace.pt",
    "a checkpoint with an argparse namespace",
    lambda path: torch.save(
        {
            "args": __import__("argparse").Namespace(lr=0.1, seed=1),
            "set": {1, 2},
            "count": collections.Counter("aab"),
        },
        path,
    ),
)
add(
    "torch",
    "tensor.pkl",
    "a tensor pickled without torch.save",
    lambda path: path.write_bytes(pickle.dumps({"w": torch.ones(2, 2)})),
)
add(
    "torch",
    "module.pkl",
    "a module pickled without torch.save",
    lambda path: path.write_bytes(pickle.dumps(_net())),
)
add(
    "torch",
    "random-state.pth",
    "the states of the random generators",
    lambda path: torch.save(
        {"torch": torch.get_rng_state(), "python": __import__("random").getstate()}, path
    ),
)
add(
    "torch",
    "scripted.pt",
    "a scripted module",
    lambda path: torch.jit.save(torch.jit.script(_net()), str(path)),
)
add(
    "torch",
    "traced.pt",
    "a traced module",
    lambda path: torch.jit.save(torch.jit.trace(_net(), torch.ones(1, 4)), str(path)),
)
add(
    "torch",
    "scripted-lite.ptl",
    "a scripted module for the lite interpreter",
    lambda path: torch.jit.script(_net())._save_for_lite_interpreter(str(path)),
)
add(
    "torch",
    "exported.pt2",
    "an exported program",
    lambda path: torch.export.save(torch.export.export(_net(), (torch.ones(1, 4),)), str(path)),
)


@recipe("torch", "checkpoint-adam.pt", "model, optimizer and schedule in one checkpoint")
def _(path):
    net = _net()
    optimizer = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    net(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    schedule.step()
    torch.save(
        {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()},
        path,
    )


@recipe("torch", "optimizer.pt", "a whole optimizer object")
def _(path):
    torch.save(torch.optim.SGD(_net().parameters(), lr=0.1, momentum=0.9), path)


@recipe("torch", "quantised.pt", "dynamically quantised layers, their state")
def _(path):
    net = torch.ao.quantization.quantize_dynamic(_net(), {nn.Linear}, dtype=torch.qint8)
    torch.save(net.state_dict(), path)


@recipe("torch", "quantised-tensor.pt", "quantised tensors, by tensor and by channel")
def _(path):
    whole = torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.quint8)
    channel = torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8)
    torch.save([whole, channel], path)


@recipe("torch", "dataset.pt", "a tensor data set with its subset")
def _(path):
    from torch.utils.data import Subset, TensorDataset

    torch.save(Subset(TensorDataset(torch.ones(4, 2), torch.zeros(4)), [0, 2]), path)
