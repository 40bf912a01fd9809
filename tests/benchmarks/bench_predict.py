"""The measurements of `python -m helpers bench`, from a checkout: `python tests/benchmarks/bench_predict.py`."""

from helpers.predict.bench import main

if __name__ == "__main__":
    main()
