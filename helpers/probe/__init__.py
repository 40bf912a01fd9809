"""Linear probes on stored features: the protocol of CLIP_benchmark, L-BFGS, zero-shot heads, and a leak on purpose."""

from helpers.probe.clip_benchmark import clip_benchmark, clip_benchmark_sweep
from helpers.probe.lbfgs import lbfgs
from helpers.probe.leak import Leak, leak
from helpers.probe.result import ProbeResult
from helpers.probe.running import PROBES, Probed, group_of, probe_all
from helpers.probe.splits import Task, task_of
from helpers.probe.zero_shot import zero_shot

__all__ = [
    "PROBES", "Leak", "ProbeResult", "Probed", "Task", "clip_benchmark", "clip_benchmark_sweep", "group_of", "lbfgs",
    "leak", "probe_all", "task_of", "zero_shot",
]  # fmt: skip
