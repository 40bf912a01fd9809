"""Everything this book computes: data in, per-image predictions, metrics, figures, pages.

Modules are listed in `ROOMS` in the order in which they may import each other: each one
imports only from rooms to its left (a test checks this).
"""

ROOMS = (
    "errors", "paths", "manifest", "fetch", "labels", "store", "demo.world", "demo.tasks", "demo.planted", "views",
    "datasets", "models", "predict", "probe", "similarity", "rows", "metrics", "stats", "paper", "results",
    "instrument", "plots", "words", "profiles", "demo.train", "run", "cli",
)  # fmt: skip
