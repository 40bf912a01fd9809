"""The measurements of `python -m helpers bench --probes`, from a checkout: `python tests/benchmarks/bench_probe.py`."""

from helpers.probe.bench import main

if __name__ == "__main__":
    main()
